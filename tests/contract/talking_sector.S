# A boot sector that echoes input from the first serial port, and prints `tick` in between.
.code16
.globl _start
_start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $0x7c00, %sp
again:
    mov $word, %si
next:
    lodsb
    test %al, %al
    jz listen
    call say
    jmp next
listen:
    mov $0xffff, %cx
hear:
    mov $0x3fd, %dx
    in %dx, %al
    test $1, %al
    jz nothing
    mov $0x3f8, %dx
    in %dx, %al
    call say
nothing:
    loop hear
    jmp again
say:
    push %ax
wait:
    mov $0x3fd, %dx
    in %dx, %al
    test $0x20, %al
    jz wait
    pop %ax
    mov $0x3f8, %dx
    out %al, %dx
    ret
word:
    .asciz "tick\n"
    .org 510
    .word 0xaa55
