/* A slow disk, for LD_PRELOAD: each open, read, stat and opendir below SLOW_DISK_PATH takes SLOW_DISK_US microseconds longer.

   See slow_disk.py; SLOW_DISK_CALLS names some of "open read stat" if not all are slow. Only names that reach these functions of the C library are delayed; descriptors are remembered, so that
   pipes and other files are read at once. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define MAX_DESCRIPTORS 65536

static const char *slow_path;
static size_t slow_length;
static int open_is_slow, read_is_slow, stat_is_slow;
static struct timespec delay;
static unsigned char is_slow_descriptor[MAX_DESCRIPTORS];

__attribute__((constructor)) static void read_environment(void) {
    const char *path = getenv("SLOW_DISK_PATH"), *us = getenv("SLOW_DISK_US"), *calls = getenv("SLOW_DISK_CALLS");
    if (path && us) {
        long long ns = atoll(us) * 1000;
        delay = (struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
        open_is_slow = !calls || strstr(calls, "open");
        read_is_slow = !calls || strstr(calls, "read");
        stat_is_slow = !calls || strstr(calls, "stat");
        slow_path = path;
        slow_length = strlen(path);
    }
}

static int is_slow(const char *path) { return slow_path && path && strncmp(path, slow_path, slow_length) == 0; }

static void wait_for_disk(void) { nanosleep(&delay, NULL); }

static int opened(int fd, int slow) {
    if (fd >= 0 && fd < MAX_DESCRIPTORS)
        is_slow_descriptor[fd] = slow;
    return fd;
}

static void wait_if_slow(int fd) {
    if (fd >= 0 && fd < MAX_DESCRIPTORS && is_slow_descriptor[fd] && read_is_slow)
        wait_for_disk();
}

/* `parameters` and `arguments` are those before the mode. */
#define OPEN(name, parameters, arguments)                                                                                      \
    int name parameters {                                                                                                      \
        static int (*real) parameters;                                                                                         \
        mode_t mode = 0;                                                                                                       \
        int slow = is_slow(path);                                                                                              \
        if (flags & (O_CREAT | __O_TMPFILE)) {                                                                                 \
            va_list more;                                                                                                      \
            va_start(more, flags);                                                                                             \
            mode = va_arg(more, mode_t);                                                                                       \
            va_end(more);                                                                                                      \
        }                                                                                                                      \
        if (!real)                                                                                                             \
            real = (__typeof__(real))dlsym(RTLD_NEXT, #name);                                                                  \
        if (slow && open_is_slow)                                                                                              \
            wait_for_disk();                                                                                                   \
        return opened(real arguments, slow);                                                                                   \
    }

OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))
OPEN(openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode))

/* What the names become with _FORTIFY_SOURCE. */
int __open_2(const char *path, int flags) { return open(path, flags); }
int __open64_2(const char *path, int flags) { return open64(path, flags); }

#define FORWARD(type, name, parameters, arguments, wait)                                                                       \
    type name parameters {                                                                                                     \
        static type(*real) parameters;                                                                                         \
        if (!real)                                                                                                             \
            real = (__typeof__(real))dlsym(RTLD_NEXT, #name);                                                                  \
        wait;                                                                                                                  \
        return real arguments;                                                                                                 \
    }

FORWARD(ssize_t, read, (int fd, void *into, size_t size), (fd, into, size), wait_if_slow(fd))
FORWARD(ssize_t, pread, (int fd, void *into, size_t size, off_t at), (fd, into, size, at), wait_if_slow(fd))
FORWARD(ssize_t, pread64, (int fd, void *into, size_t size, off64_t at), (fd, into, size, at), wait_if_slow(fd))
FORWARD(int, close, (int fd), (fd), opened(fd, 0))

ssize_t __read_chk(int fd, void *into, size_t size, size_t room) { return size > room ? (abort(), 0) : read(fd, into, size); }
ssize_t __pread64_chk(int fd, void *into, size_t size, off64_t at, size_t room) {
    return size > room ? (abort(), 0) : pread64(fd, into, size, at);
}

#define IF_SLOW if (stat_is_slow && is_slow(path)) wait_for_disk()
FORWARD(int, stat, (const char *path, struct stat *info), (path, info), IF_SLOW)
FORWARD(int, stat64, (const char *path, struct stat64 *info), (path, info), IF_SLOW)
FORWARD(int, lstat, (const char *path, struct stat *info), (path, info), IF_SLOW)
FORWARD(int, lstat64, (const char *path, struct stat64 *info), (path, info), IF_SLOW)
FORWARD(int, fstatat, (int folder, const char *path, struct stat *info, int flags), (folder, path, info, flags), IF_SLOW)
FORWARD(int, fstatat64, (int folder, const char *path, struct stat64 *info, int flags), (folder, path, info, flags), IF_SLOW)
FORWARD(DIR *, opendir, (const char *path), (path), IF_SLOW)
