/* The `bootstrap` of the zip: runs lib/ratings-stats beside it, with the loader and the libraries
 * that came with it, since those of Lambda's system are older. Linked statically. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int beside(const char *directory, const char *name, char path[PATH_MAX])
{
    int len = snprintf(path, PATH_MAX, "%s/%s", directory, name);

    return len > 0 && len < PATH_MAX;
}

int main(void)
{
    char self[PATH_MAX], loader[PATH_MAX], libraries[PATH_MAX], program[PATH_MAX];
    char option[] = "--library-path";
    char *const arguments[] = {loader, option, libraries, program, NULL};
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    if (len > 0) {
        self[len] = '\0';
        *strrchr(self, '/') = '\0';
        if (beside(self, "lib/loader", loader) && beside(self, "lib", libraries) &&
            beside(self, "lib/ratings-stats", program))
            execv(loader, arguments);
    }
    perror("bootstrap: cannot start lib/ratings-stats");
    return 1;
}
