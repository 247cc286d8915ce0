/* For gcov: a process that ends by _exit(), as those that ask a backend for ratingsctl check do,
 * leaves its counts all the same. Linked with --wrap=_exit (build/coverage.mk). */
void dump_counts(void) __asm__("__gcov_dump");
_Noreturn void end_process(int status) __asm__("__real__exit");
_Noreturn __attribute__((visibility("default"))) void
counted_exit(int status) __asm__("__wrap__exit");

_Noreturn void counted_exit(int status)
{
    dump_counts();
    end_process(status);
}
