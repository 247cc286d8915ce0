/* Gives each file that is named to a fuzz target, without a fuzzer. */
#include "fuzz.h"

#define INPUT_MAX (1 << 20)

static int replay(const char *path)
{
    uint8_t *input = malloc(INPUT_MAX), *exact = NULL;
    FILE *file = input ? fopen(path, "rb") : NULL;
    size_t len = file ? fread(input, 1, INPUT_MAX, file) : 0;
    int failed = !file || ferror(file) || !feof(file);

    /* An exact size lets ASan see a read beyond the end. */
    if (!failed && (exact = realloc(input, len > 0 ? len : 1)) != NULL)
        LLVMFuzzerTestOneInput(exact, len);
    if (failed)
        fprintf(stderr, "%s: cannot be read, or has more than %d bytes\n", path, INPUT_MAX);
    if (file)
        fclose(file);
    free(exact ? exact : input);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;

    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    printf("%s: %d inputs replayed\n", argv[0], argc - 1);
    return failed;
}
