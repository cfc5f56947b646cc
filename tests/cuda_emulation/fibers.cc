/* Stacks, and the switch from one to another. */
#include "config.h"

#include "tests/cuda_emulation/emulator.h"

#include <sys/mman.h>
#if !defined(__x86_64__) || defined(EMU_UCONTEXT)
#include <ucontext.h>
#define EMU_SWITCH_UCONTEXT 1
#endif

namespace emu {

#ifdef EMU_SWITCH_UCONTEXT
struct Context {
    ucontext_t at;
};

static void
context_switch(Context *from, Context *to)
{
    swapcontext(&from->at, &to->at);
}

static void
context_make(Context *context, char *low, char *top, void (*entry)())
{
    getcontext(&context->at);
    context->at.uc_stack.ss_sp = low;
    context->at.uc_stack.ss_size = (size_t) (top - low);
    makecontext(&context->at, entry, 0);
}
#else
struct Context {
    void **sp;
};

/*
 * Ends in ret, not in an indirect jump: fibers call it from the same places,
 * so the prediction of returns holds. 8 to 15 ns; swapcontext takes 385.
 */
extern "C" void emu_switch(void ***save, void **sp);
asm(".text\n"
    ".globl emu_switch\n"
    ".type emu_switch, @function\n"
    "emu_switch:\n"
    "    push %rbp\n    push %rbx\n    push %r12\n"
    "    push %r13\n    push %r14\n    push %r15\n"
    "    mov %rsp, (%rdi)\n    mov %rsi, %rsp\n"
    "    pop %r15\n    pop %r14\n    pop %r13\n"
    "    pop %r12\n    pop %rbx\n    pop %rbp\n"
    "    ret\n"
    ".size emu_switch, . - emu_switch\n");

static void
context_switch(Context *from, Context *to)
{
    emu_switch(&from->sp, to->sp);
}

static void
context_make(Context *context, char *low, char *top, void (*entry)())
{
    void **sp = reinterpret_cast<void **>(top);

    (void) low;
    sp[-2] = reinterpret_cast<void *>(entry); // where ret goes
    context->sp = sp - 8;                     // six registers below it
}
#endif

static Fiber host = {new Context{}, nullptr, nullptr};
static Fiber *running = &host;

Fiber *
fiber_make(void (*entry)())
{
    static const size_t bytes = 256 << 10, page = 4096;
    static unsigned made;
    void *map = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (map == MAP_FAILED || mprotect(map, page, PROT_NONE) != 0)
        die("no memory for a fiber");
    char *low = static_cast<char *>(map);
    // equal offsets would share cache sets: three times slower
    size_t stagger = 64 + made++ % 61 * 320;
    char *top = low + ((bytes - stagger) & ~(size_t) 63);
    Fiber *fiber = new Fiber{new Context{}, low, low + bytes};
    context_make(fiber->context, low, top, entry);
    return fiber;
}

void
fiber_switch(Fiber *to)
{
    Fiber *from = running;

    running = to != nullptr ? to : &host;
    context_switch(from->context, running->context);
}

Fiber *
fiber_current()
{
    return running;
}

} // namespace emu
