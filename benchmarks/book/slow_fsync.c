/* Every fsync of a process takes SLOW_FSYNC_US microseconds more, as on a volume across a network. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

typedef int (*sync_call)(int);

static int slowly(const char *name, int file) {
    const char *told = getenv("SLOW_FSYNC_US");
    long us = told ? atol(told) : 0;
    int answer = ((sync_call)dlsym(RTLD_NEXT, name))(file);
    struct timespec rest = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&rest, NULL);
    return answer;
}

int fsync(int file) { return slowly("fsync", file); }
int fdatasync(int file) { return slowly("fdatasync", file); }
