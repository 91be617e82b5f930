/* Does to files what its arguments say, and ends by SIGKILL: the program on which the shim's own tests try it. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int file(const char *path, int flags) {
    int fd = open(path, flags, 0600);
    if (fd < 0) {
        perror(path);
        exit(2);
    }
    return fd;
}

static void must(int good, const char *what) {
    if (good) return;
    perror(what);
    exit(2);
}

static void put(const char *path, int flags, const char *text) {
    ssize_t length = (ssize_t)strlen(text);
    must(write(file(path, O_WRONLY | flags), text, length) == length, path);
}

int main(int count, char **words) {
    for (int n = 1; n < count; n++) {
        const char *verb = words[n];
        if (!strcmp(verb, "kill")) {
            kill(getpid(), SIGKILL);
        } else if (n + 1 >= count) {
            break;
        } else if (!strcmp(verb, "sync")) {
            must(fdatasync(file(words[++n], O_RDWR)) == 0, "fdatasync");
        } else if (!strcmp(verb, "syncfolder")) {
            must(fsync(file(words[++n], O_RDONLY | O_DIRECTORY)) == 0, "fsync");
        } else if (!strcmp(verb, "remove")) {
            must(unlink(words[++n]) == 0, "unlink");
        } else if (!strcmp(verb, "removefolder")) {
            must(rmdir(words[++n]) == 0, "rmdir");
        } else if (!strcmp(verb, "folder")) {
            must(mkdir(words[++n], 0700) == 0, "mkdir");
        } else if (n + 2 >= count) {
            break;
        } else if (!strcmp(verb, "new")) {
            put(words[n + 1], O_CREAT | O_EXCL, words[n + 2]);
            n += 2;
        } else if (!strcmp(verb, "replace")) {
            put(words[n + 1], O_CREAT | O_TRUNC, words[n + 2]);
            n += 2;
        } else if (!strcmp(verb, "append")) {
            put(words[n + 1], O_APPEND, words[n + 2]);
            n += 2;
        } else if (!strcmp(verb, "second")) {
            /* From the second byte on, in two parts. */
            struct iovec parts[2] = {{words[n + 2], 1}, {words[n + 2] + 1, strlen(words[n + 2]) - 1}};
            must(pwritev(file(words[n + 1], O_RDWR), parts, 2, 1) == (ssize_t)strlen(words[n + 2]), "pwritev");
            n += 2;
        } else if (!strcmp(verb, "cut")) {
            must(ftruncate(file(words[n + 1], O_RDWR), atoi(words[n + 2])) == 0, "ftruncate");
            n += 2;
        } else if (!strcmp(verb, "rename")) {
            must(rename(words[n + 1], words[n + 2]) == 0, "rename");
            n += 2;
        } else if (!strcmp(verb, "allocate")) {
            put(words[n + 1], O_CREAT, words[n + 2]);
            /* Would be blind: the shim ends the program. */
            must(posix_fallocate(file(words[n + 1], O_RDWR), 0, 4096) == 0, "posix_fallocate");
            n += 2;
        } else {
            break;
        }
        if (n + 1 == count) return 0;
    }
    fprintf(stderr, "probe: not understood\n");
    return 2;
}
