# A boot sector that does what a kernel does first and firmware does not.
#
# It enters long mode with paging, takes timer interrupts while halted, enters
# ring 3 and returns by a system call, and only then tells QEMU to exit with
# status 85 (`isa-debug-exit` answers with twice the value written, plus one).

        .code16
        .globl  _start
_start: cli
        ljmp    $0, $1f
1:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7c00, %sp

        # Four tables below 0x7000: 0..1 GiB mapped to itself in 2 MiB pages.
        movw    $0x1000, %di
        movw    $0x1800, %cx
        cld
        rep stosw
        movw    $0x2007, 0x1000
        movw    $0x3007, 0x2000
        movw    $0x3000, %di
        movl    $0x87, %eax
2:      movl    %eax, (%di)
        addw    $8, %di
        addl    $0x200000, %eax
        cmpw    $0x4000, %di
        jne     2b

        movl    $0x620, %eax            # OSXMMEXCPT, OSFXSR, PAE
        movl    %eax, %cr4
        movl    $0x1000, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx       # EFER
        rdmsr
        orw     $0x101, %ax             # LME, SCE
        wrmsr
        lgdt    gdt_pointer
        movl    %cr0, %eax
        orl     $0x80000001, %eax       # PG, PE
        movl    %eax, %cr0
        ljmp    $8, $long

        .code64
long:   movw    $16, %ax
        movw    %ax, %ss
        # The firmware left the timer's interrupt at vector 8.
        movl    $timer, %eax
        movw    %ax, 0x4080
        movw    $8, 0x4082
        movw    $0x8e00, 0x4084
        lidt    idt_pointer
        movb    $0xfe, %al              # Nothing but the timer.
        outb    %al, $0x21
        xorl    %ebx, %ebx
        sti
3:      hlt
        cmpl    $3, %ebx
        jb      3b
        cli

        movl    $0xc0000081, %ecx       # STAR: ring 0 from 8, ring 3 from 16
        xorl    %eax, %eax
        movl    $0x00100008, %edx
        wrmsr
        incl    %ecx                    # LSTAR
        movl    $done, %eax
        xorl    %edx, %edx
        wrmsr
        movq    %cr3, %rax
        movq    %rax, %cr3
        movl    $user, %ecx
        movl    $2, %r11d
        sysretq

user:   xorl    %eax, %eax
        cpuid
        rdtsc
        syscall
        hlt

done:   movb    $42, %al
        outb    %al, $0xf4
4:      hlt
        jmp     4b

timer:  incl    %ebx
        movb    $0x20, %al
        outb    %al, $0x20
        iretq

        .balign 8
gdt:    .quad   0
        .quad   0x00209a0000000000      #  8: ring 0 code, 64 bits
        .quad   0x0000920000000000      # 16: ring 0 data
        .quad   0x0000f20000000000      # 24: ring 3 data
        .quad   0x0020fa0000000000      # 32: ring 3 code, 64 bits
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt
idt_pointer:
        .word   0xfff
        .quad   0x4000

        .org    510
        .word   0xaa55
