/* A disk that keeps only what was synced: preloaded, it copies a file of SYNCED_FROM to SYNCED_TO whenever it is synced. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void keep(int descriptor)
{
    char link[64], from[4096], to[4200], half[4210], block[65536];
    const char *source = getenv("SYNCED_FROM"), *target = getenv("SYNCED_TO");
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    struct stat kind;
    ssize_t length = readlink(link, from, sizeof from - 1);
    if (length < 0 || strncmp(from, source, strlen(source)) != 0 || fstat(descriptor, &kind) || !S_ISREG(kind.st_mode))
        return;
    from[length] = 0;
    snprintf(to, sizeof to, "%s%s", target, from + strlen(source));
    snprintf(half, sizeof half, "%s.half", to);
    int in = open(link, O_RDONLY), out = open(half, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0)
        abort();
    for (ssize_t had; (had = read(in, block, sizeof block)) > 0;)
        if (write(out, block, had) != had)
            abort();
    close(out);
    /* Closing the file itself would drop this process's POSIX locks on it: the descriptor is left open. */
    if (rename(half, to) != 0)
        abort();
}

int fsync(int descriptor)
{
    int result = syscall(SYS_fsync, descriptor);
    keep(descriptor);
    return result;
}

int fdatasync(int descriptor)
{
    int result = syscall(SYS_fdatasync, descriptor);
    keep(descriptor);
    return result;
}
