# A boot sector that proves that 64-bit paged code really runs: it enters long mode, builds a
# second set of page tables there, switches to it, works for a while at the addresses where kernels
# live, takes an exception through its own IDT, and only then leaves through QEMU's
# isa-debug-exit device with a status that nothing else gives.
# Sources: AMD64 Architecture Programmer's Manual, volume 2, chapters 5, 8 and 14.

    .code16
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    # Two sets of tables at 0x1000 and 0x4000, each mapping the first 2 MiB onto itself.
    cld
    movl $0x1000, %edi
    movl $0x1800, %ecx
    xorl %eax, %eax
    rep stosl
    movl $0x2003, 0x1000
    movl $0x3003, 0x2000
    movl $0x0083, 0x3000
    movl $0x5003, 0x4000
    movl $0x6003, 0x5000
    movl $0x5003, 0x4ff8        # the second set also where kernels live, at the top 2 GiB
    movl $0x6003, 0x5ff0
    movl $0x0083, 0x6000
    movl $0x20, %eax            # CR4.PAE
    movl %eax, %cr4
    movl $0x1000, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx      # EFER.LME
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl %cr0, %eax
    orl $0x80000001, %eax       # CR0.PG and CR0.PE
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $0x08, $long_mode

    .code64
long_mode:
    movw $0x10, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    # An IDT at 0x8000 with one gate: vector 6, invalid opcode.
    movq $0x8000, %rdi
    xorl %eax, %eax
    movl $64, %ecx
    rep stosl
    movq $handler, %rax
    movw %ax, 0x8060
    movw $0x08, 0x8062
    movw $0x8e00, 0x8064
    lidt idt_pointer
    movq $0x4000, %rax          # the second set of tables
    movq %rax, %cr3
    movq $high, %rax
    movabsq $0xffffffff80000000, %rcx
    orq %rcx, %rax
    jmp *%rax
high:
    movabsq $0x0123456789abcdef, %rbx
    movq %rbx, %r12
    # Work that takes a real processor a fraction of a second, and one that is emulated
    # instruction by instruction (as nested hosts do with kernel code) minutes.
    movl $100000000, %ecx
work:
    addl %ecx, 0x9000
    decl %ecx
    jnz work
    ud2                         # must come back through the handler
after:
    cmpq %rbx, %r12
    jne stop
    cmpq $0x600d, %r13
    jne stop
    movb $0x31, %al
    outb %al, $0xf4
stop:
    hlt
    jmp stop

handler:
    movq $0x600d, %r13
    addq $2, (%rsp)             # past ud2
    iretq

    .balign 8
gdt:
    .quad 0
    .quad 0x00209a0000000000
    .quad 0x0000920000000000
gdt_pointer:
    .word . - gdt - 1
    .long gdt
idt_pointer:
    .word 16 * 7 - 1
    .quad 0x8000

    .org 510
    .word 0xaa55
