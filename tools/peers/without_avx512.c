/* without_avx512.c - answers what stands for cpuid in the libraries that without_avx512.py patched; preloaded.
 *
 * Each patched place holds kPatch, which 64-bit CPUs refuse (SIGILL) and no compiler emits. The handler asks the CPU
 * what the program asked, takes the sets away that are to be hidden, and goes on behind the two bytes.
 *
 * QUAVER_PEERS_ISA says what is left: "avx2", or "avxvnni", which is AVX2 and AVX-VNNI. Anything else ends the program.
 * Compiled with baseline flags and -DPATCH_0= -DPATCH_1= by the script.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

static const unsigned char kPatch[2] = {PATCH_0, PATCH_1};

static int vnni_is_left;
static const char* limit;

/* "avx2" or "avxvnni". */
const char* peers_isa(void) { return limit; }

#define BIT(n) (1u << (n))

/* Parts of a thread's state: mask registers, upper halves of 512-bit registers 0 to 15, registers 16 to 31. */
enum { kAvx512States = BIT(5) | BIT(6) | BIT(7) };

/* Whether this thread has used one of them. The CPU tracks that (XGETBV, ECX = 1); vzeroupper takes back the upper halves
 * alone. */
int avx512_was_used(void) {
  unsigned a, b, c, d;
  __cpuid_count(7, 0, a, b, c, d);
  if ((b & BIT(16)) == 0) return 0; /* this CPU has no AVX-512 */
  __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(1));
  return (a & kAvx512States) != 0;
}

static void hide(unsigned leaf, unsigned subleaf, unsigned* a, unsigned* b, unsigned* c, unsigned* d) {
  if (leaf == 7 && subleaf == 0) {
    /* F, DQ, IFMA, PF, ER, CD, BW, VL */
    *b &= ~(BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31));
    *c &= ~(BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14)); /* VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ */
    /* 4VNNIW, 4FMAPS, VP2INTERSECT, AMX-BF16, FP16, AMX-TILE, AMX-INT8 */
    *d &= ~(BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25));
  } else if (leaf == 7 && subleaf == 1) {
    *a &= ~(BIT(5) | BIT(21)); /* BF16, AMX-FP16 */
    *d &= ~(BIT(8) | BIT(19)); /* AMX-COMPLEX, AVX10 */
    if (!vnni_is_left) {
      *a &= ~(BIT(4) | BIT(23));          /* AVX-VNNI, AVX-IFMA */
      *d &= ~(BIT(4) | BIT(5) | BIT(10)); /* AVX-VNNI-INT8, AVX-NE-CONVERT, AVX-VNNI-INT16 */
    }
  } else if (leaf == 13 && subleaf == 0) {
    *a &= ~(unsigned)kAvx512States;
  }
}

static void answer(int number, siginfo_t* information, void* context) {
  (void)information;
  greg_t* registers = ((ucontext_t*)context)->uc_mcontext.gregs;
  if (memcmp((const void*)registers[REG_RIP], kPatch, sizeof kPatch) != 0) {
    signal(number, SIG_DFL); /* not ours: the instruction runs again and ends the program */
    return;
  }
  const unsigned leaf = (unsigned)registers[REG_RAX], subleaf = (unsigned)registers[REG_RCX];
  unsigned a, b, c, d;
  __cpuid_count(leaf, subleaf, a, b, c, d);
  hide(leaf, subleaf, &a, &b, &c, &d);
  registers[REG_RAX] = a;
  registers[REG_RBX] = b;
  registers[REG_RCX] = c;
  registers[REG_RDX] = d;
  registers[REG_RIP] += sizeof kPatch;
}

__attribute__((constructor)) static void begin(void) {
  limit = getenv("QUAVER_PEERS_ISA");
  if (limit == NULL || (strcmp(limit, "avx2") != 0 && strcmp(limit, "avxvnni") != 0)) {
    fprintf(stderr, "QUAVER_PEERS_ISA is '%s', expected avx2 or avxvnni\n", limit == NULL ? "" : limit);
    exit(2);
  }
  vnni_is_left = strcmp(limit, "avxvnni") == 0;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = answer;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGILL, &action, NULL);
}
