/* Coverage of one extension for libFuzzer, included into each extension of a fuzz build.
 *
 * gcc calls __sanitizer_cov_trace_pc() at every basic block. Each block gets one of COUNTERS eight-bit counters, in the
 * order in which blocks are first reached, so that libFuzzer, which clears and scans all counters per execution, has
 * few to scan. Source of the interface: LLVM, SanitizerCoverage.
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PLAIN __attribute__((no_sanitize_coverage, no_sanitize("address", "undefined"), no_sanitize_address))
#define COUNTERS 2048
#define MAX_CODE (16 << 20) /* bytes of an extension */

extern char __ehdr_start __attribute__((visibility("hidden"))); /* start of this extension in memory, set by the linker */
extern uint64_t fuzz_blocks;                                    /* basic blocks executed by all extensions: mutator.c */

void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *end);

static uint8_t counters[COUNTERS];
static uint16_t block_numbers[MAX_CODE / 4]; /* of each return address, from 1; calls are five bytes long, so never two per entry */
static uint16_t block_count;

PLAIN __attribute__((visibility("hidden"))) void __sanitizer_cov_trace_pc(void)
{
    uintptr_t offset = (uintptr_t)__builtin_return_address(0) - (uintptr_t)&__ehdr_start;
    uint16_t *number;
    if (offset >= MAX_CODE)
        return;
    number = &block_numbers[offset / 4];
    if (!*number)
        *number = ++block_count;
    counters[*number % COUNTERS]++;
    fuzz_blocks++;
}

PLAIN __attribute__((constructor)) static void announce(void)
{
    __sanitizer_cov_8bit_counters_init(counters, counters + COUNTERS);
}

PLAIN __attribute__((destructor)) static void report(void)
{
    Dl_info extension;
    if (block_count && getenv("MIDIOPT_FUZZ_REPORT"))
        fprintf(stderr, "blocks reached: %u %s\n", block_count, dladdr(&counters, &extension) ? extension.dli_fname : "");
}
