// Starting a process so that it dies with its parent: between fork and exec nothing but C is safe, and `posix_spawn` cannot
// ask for the parent's death signal.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Declared by the C library only for GNU sources.
int pipe2(int ends[2], int flags);

// Runs `path` in a process group of its own, with nothing on standard input and both outputs on `output`. It is killed when
// the thread that called this ends. Returns the process's id, or the negated errno of what failed, exec included.
static inline pid_t cprocess_start(
    const char *path, char *const arguments[], char *const environment[], int output) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return -errno;
    sigset_t all, before;
    sigfillset(&all);
    // No handler of the parent may run in the child.
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        // The parent may have died before it could be asked for.
        if (getppid() != parent) _exit(127);
        int nothing = open("/dev/null", O_RDONLY);
        if (nothing >= 0 && dup2(nothing, 0) >= 0 && dup2(output, 1) >= 0 && dup2(output, 2) >= 0) {
            if (nothing > 2) close(nothing);
            sigset_t none;
            sigemptyset(&none);
            sigprocmask(SIG_SETMASK, &none, 0);
            execve(path, arguments, environment);
        }
        int failure = errno;
        while (write(report[1], &failure, sizeof failure) < 0 && errno == EINTR) {}
        _exit(127);
    }
    int failure = child < 0 ? errno : 0;
    sigprocmask(SIG_SETMASK, &before, 0);
    close(report[1]);
    if (child > 0) {
        // Also here: a signal to the group must not miss a child that has not come that far.
        setpgid(child, child);
        ssize_t count;
        while ((count = read(report[0], &failure, sizeof failure)) < 0 && errno == EINTR) {}
        if (count > 0) while (waitpid(child, 0, 0) < 0 && errno == EINTR) {}
    }
    close(report[0]);
    return failure ? -failure : child;
}

// Whether the child has ended, and with which status as `waitpid` has it. Whatever is left of its process group ends with it;
// the group's number cannot belong to others yet, because the child is not reaped.
static inline bool cprocess_reap(pid_t child, int *status) {
    siginfo_t info = {0};
    *status = 0;
    if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return errno == ECHILD;
    if (info.si_pid == 0) return false;
    kill(-child, SIGKILL);
    waitpid(child, status, 0);
    return true;
}

// The signal that ended the process, or 0.
static inline int cprocess_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

static inline int cprocess_exit_code(int status) { return WEXITSTATUS(status); }
