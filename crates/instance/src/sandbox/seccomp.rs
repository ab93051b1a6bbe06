//! The system calls a sandbox may make.
//!
//! A list of what is allowed: what is not on it does not exist. Left out are
//! those that change the kernel (modules, kexec, bpf, clocks, swap), look into
//! other processes or handles (ptrace, process_vm_*, open_by_handle_at, kcmp,
//! perf), make namespaces or mounts, undo a limit (sched_setaffinity), or widen
//! the attack surface for nothing (keyrings, userfaultfd, io_uring, sockets of
//! rare families).

use oci_spec::OciSpecError;
use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArgBuilder, LinuxSeccompBuilder,
    LinuxSeccompOperator, LinuxSyscall, LinuxSyscallBuilder,
};

/// Flags of clone(2) that make namespaces.
const CLONE_NEW: u64 = 0x7e02_0000;

const ENOSYS: u32 = 38;
const EPERM: u32 = 1;

/// The families of sockets that programs use (address_families(7)): UNIX,
/// INET, INET6 and NETLINK.
const FAMILIES: [u64; 4] = [1, 2, 10, 16];

/// Calls that only make files durable. They succeed at once: an instance that
/// the machine's crash interrupts is built anew, so nothing is gained by
/// waiting for disks, and dpkg waits for them hundreds of times.
const SYNCS: [&str; 5] = ["fdatasync", "fsync", "sync", "sync_file_range", "syncfs"];

const ALLOWED: &str = "
 accept accept4 access alarm arch_prctl bind brk
 capget capset chdir chmod chown chown32 clock_getres clock_getres_time64
 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range
 connect copy_file_range creat dup dup2 dup3
 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
 epoll_wait_old eventfd eventfd2 execve execveat exit exit_group
 faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat
 fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fgetxattr flistxattr flock fork
 fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 ftruncate ftruncate64
 futex futex_time64 futex_waitv futimesat
 get_mempolicy get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid
 getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername
 getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid
 getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid
 getuid32 getxattr
 inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy
 io_getevents io_pgetevents io_setup io_submit ioctl ioprio_get ioprio_set ipc
 kill
 landlock_add_rule landlock_create_ruleset landlock_restrict_self
 lchown lchown32 lgetxattr link linkat listen listxattr llistxattr _llseek lremovexattr
 lseek lsetxattr lstat lstat64
 madvise mbind membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock
 mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
 mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock munlockall munmap
 name_to_handle_at nanosleep newfstatat _newselect
 open openat openat2
 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll
 ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pwrite64
 pwritev pwritev2
 read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmsg remap_file_pages
 removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending
 rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
 rt_tgsigqueueinfo
 sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
 sched_getparam sched_getscheduler sched_rr_get_interval sched_setattr
 sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop
 send sendfile sendfile64 sendmmsg sendmsg sendto set_mempolicy set_robust_list
 set_thread_area set_tid_address setfsgid setfsuid setgid setgid32 setgroups setgroups32
 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid
 setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr shmat
 shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socketpair splice
 stat stat64 statfs statfs64 statx symlink symlinkat sysinfo
 tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime
 timerfd_create timerfd_gettime timerfd_settime times tkill truncate truncate64
 ugetrlimit umask uname unlink unlinkat utime utimensat utimensat_time64 utimes
 vfork vmsplice wait4 waitid waitpid write writev
 chroot
";

/// Returns the filter for `config.json`.
pub(super) fn filter() -> Result<LinuxSeccomp, OciSpecError> {
    let arg = |index: usize, value: u64, op: LinuxSeccompOperator, two: Option<u64>| {
        let builder = LinuxSeccompArgBuilder::default().index(index).value(value).op(op);
        match two {
            Some(two) => builder.value_two(two).build(),
            None => builder.build(),
        }
    };
    let plain = |names: Vec<String>, action| {
        LinuxSyscallBuilder::default().names(names).action(action).build()
    };
    let refused = |name: &str, errno: u32| -> Result<LinuxSyscall, OciSpecError> {
        LinuxSyscallBuilder::default()
            .names(vec![name.to_owned()])
            .action(LinuxSeccompAction::ScmpActErrno)
            .errno_ret(errno)
            .build()
    };
    let guarded = |name: &str, arg| {
        LinuxSyscallBuilder::default()
            .names(vec![name.to_owned()])
            .action(LinuxSeccompAction::ScmpActAllow)
            .args(vec![arg])
            .build()
    };
    let mut calls = vec![plain(
        ALLOWED.split_whitespace().map(str::to_owned).collect(),
        LinuxSeccompAction::ScmpActAllow,
    )?];
    for name in SYNCS {
        calls.push(refused(name, 0)?);
    }
    // The flags of clone3 lie in memory, where a filter cannot see them; C
    // libraries fall back to clone.
    calls.push(refused("clone3", ENOSYS)?);
    let masked = LinuxSeccompOperator::ScmpCmpMaskedEq;
    calls.push(guarded("clone", arg(0, CLONE_NEW, masked, Some(0))?)?);
    let equal = LinuxSeccompOperator::ScmpCmpEq;
    for family in FAMILIES {
        calls.push(guarded("socket", arg(0, family, equal, None)?)?);
    }
    // 32-bit programs may name the family in memory. Said of the call itself,
    // as libseccomp otherwise allows by it what it allows by `socket`.
    calls.push(refused("socketcall", ENOSYS)?);
    // personality(2): the plain Linux ones and the query.
    for persona in [0, 0x0008, 0x2_0000, 0x2_0008, 0xffff_ffff] {
        calls.push(guarded("personality", arg(0, persona, equal, None)?)?);
    }
    LinuxSeccompBuilder::default()
        .default_action(LinuxSeccompAction::ScmpActErrno)
        .default_errno_ret(EPERM)
        .architectures(vec![Arch::ScmpArchX86_64, Arch::ScmpArchX86])
        .syscalls(calls)
        .build()
}
