/* The bytecode of the program, and where its lines come from, as they are. */
    .section .rodata.program, "a"
    .balign 16
    .globl program_bytecode, program_bytecode_end, program_lines, program_lines_end
program_bytecode:
    .incbin PROGRAM
program_bytecode_end:
    .balign 16
program_lines:
#ifdef LINES
    .incbin LINES
#endif
program_lines_end:
    .section .note.GNU-stack, "", %progbits
