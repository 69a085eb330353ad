# A boot sector that prints lines on the first serial port, then `farewell`, and powers off (q35).
.code16
.globl _start
_start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $0x7c00, %sp
    mov $60, %bp
line:
    mov $word, %si
    call print
    dec %bp
    jnz line
    mov $last, %si
    call print
    mov $0x604, %dx
    mov $0x2000, %ax
    out %ax, %dx
stop:
    hlt
    jmp stop
print:
    lodsb
    test %al, %al
    jz done
    push %ax
wait:
    mov $0x3fd, %dx
    in %dx, %al
    test $0x20, %al
    jz wait
    pop %ax
    mov $0x3f8, %dx
    out %al, %dx
    jmp print
done:
    ret
word:
    .asciz "a line of output before the end\n"
last:
    .asciz "farewell\n"
    .org 510
    .word 0xaa55
