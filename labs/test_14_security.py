"""Chapter 14: security. What root in a container may not do, and what no option can isolate."""

import os
import socket as sockets
from signal import SIGCHLD
from stat import S_IFCHR
from struct import pack

from fixtures.kernel.capabilities import CapabilitySet
from fixtures.kernel.posture import Posture
from fixtures.kernel.system_call import AT_FDCWD, SystemCall, http, request
from fixtures.lab import (
    answers,
    fresh,
    given,
    neighbour_started_with,
    private_engine,
    requires,
    started_with,
    wait_until,
    without,
)

FOURTEEN = CapabilitySet({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
    "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
# What the eight options of one experiment change: --cap-drop two things, each other one thing.
CLAIMED = {
    "pid namespace", "capabilities", "bounding set", "seccomp", "no_new_privs", "root",
    "OOM score", "pids.max", "limit: Max open files",
}  # fmt: skip
PHRASE = "correct horse battery staple"
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
ADDR_NO_RANDOMIZE = 0x40000
PTRACE_TRACEME = 0
PR_CAPBSET_DROP, CAP_SYS_ADMIN = 24, 21
SESSION_KEYRING = -3
NO_DESCRIPTOR = -1
SIZE_OF_THE_LOG = 10
NO_RIGHTS = pack("<5I", 0x02000000, 0, 0, 0, 0)  # of a program file: capabilities(7), VFS_CAP_…
# Each of the four processes keeps the same small file open 900 times.
OPEN_3600_FILES = """\
for each in 1 2 3 4; do tail -f $(seq 900 | sed s,.*,/etc/group,) & done; wait
"""
COUNT_OPEN_FILES = "ls /proc/[0-9]*/fd | wc -l"
NULL_DEVICE, KMSG = os.makedev(1, 3), os.makedev(1, 11)


@answers("study-36", "deep-3", "deep-5")
@without(cap_drop=["ALL"])
@without(cap_add=["SYS_PTRACE"])
@without(user="1000:1000")
def test_root_in_a_container_has_fourteen_capabilities(container):
    """Root in a container has 14 of the some 40 capabilities that make up the power of root.

    Kernel: each check for root's power is a check for one bit of the effective set, CapEff in
        /proc/<pid>/status. Docker's default is a80425fb.
    Without: --cap-drop=ALL leaves none, --cap-add adds one, and another user has none by default.
    Source: capabilities(7), moby daemon/pkg/oci/caps/defaults.go
    """
    assert container.init.capabilities.effective == FOURTEEN


@answers("study-36")
@requires("user-namespace-of-the-host")
@fresh
@started_with(tmpfs={"/theirs": "uid=1000,mode=700"})
@without(cap_drop=["CHOWN"])
@without(cap_drop=["DAC_OVERRIDE"])
@without(cap_drop=["MKNOD"])
@without(cap_drop=["NET_RAW"])
@without(cap_drop=["SETUID"])
@without(cap_drop=["SYS_CHROOT"])
def test_each_capability_permits_an_operation_of_its_own(container):
    """What root may do is in pieces: without one capability one operation is refused, and no other.

    Kernel: chown(2) asks for CAP_CHOWN, chroot(2) for CAP_SYS_CHROOT and so on; nothing asks
        whether the user id is 0.
    Without: each --cap-drop makes the one call fail that asks for it, with EPERM (EACCES where it
        is about the mode of a file). /theirs belongs to user 1000. Six of the ten are tried.
    Source: capabilities(7)
    """
    answered = container.answers_to(
        SystemCall("fchownat", AT_FDCWD, "/etc/group", 1, 1, 0),
        SystemCall("openat", AT_FDCWD, "/theirs", os.O_RDONLY),
        SystemCall("fchmodat", AT_FDCWD, "/theirs", 0o700),
        SystemCall("mknodat", AT_FDCWD, "/null", S_IFCHR, NULL_DEVICE),
        SystemCall("socket", sockets.AF_INET, sockets.SOCK_RAW, sockets.IPPROTO_ICMP),
        SystemCall("setxattr", "/etc/passwd", "security.capability", NO_RIGHTS, len(NO_RIGHTS), 0),
        SystemCall("setgid", 1000),
        SystemCall("prctl", PR_CAPBSET_DROP, CAP_SYS_ADMIN),
        SystemCall("setuid", 1000),
        SystemCall("chroot", "/etc"),
    )

    refused = {call: answer for call, answer in answered.items() if answer != "done"}

    assert refused == {}


@started_with(user="1000:1000", cap_add=["NET_ADMIN"])
@without("the user 1000", user=None)
def test_an_added_capability_is_of_no_effect_for_an_ordinary_user(container):
    """--cap-add gives a container that runs as user 1000 nothing that it could use.

    Kernel: execve(2) gives root the bounding set and another user only what is ambient or stands
        at the program file. The added capability is in the bounding set alone.
    Without: as root, the process has it in the effective set.
    Source: capabilities(7), Transformation of capabilities during execve()
    """
    capabilities = container.init.capabilities

    assert ("NET_ADMIN" in capabilities.bounding, capabilities.effective) == (True, set())


@requires("docker")
@fresh
@started_with(user="1000:1000")
@without(sysctls={"net.ipv4.ip_unprivileged_port_start": "1024"})
def test_any_user_of_a_container_may_listen_on_port_80(container):
    """In a container user 1000, who has no capability, may listen on port 80.

    Kernel: ports below net.ipv4.ip_unprivileged_port_start want CAP_NET_BIND_SERVICE. It belongs
        to the network namespace, and Docker sets it to 0 for each that it makes.
    Without: with the kernel's own 1024 the same call is refused.
    Source: ip(7), networking/ip-sysctl.rst, moby pull request 41030
    """
    any_address_port_80 = pack("=H", sockets.AF_INET) + pack(">H4x8x", 80)

    answer = container.answer_to(
        SystemCall("socket", sockets.AF_INET, sockets.SOCK_STREAM, 0),
        SystemCall("bind", 3, any_address_port_80, len(any_address_port_80)),
    )

    assert answer == "done"


@answers("study-37", "how-4", "deep-3", "deep-5")
@requires("default-filter")
@fresh
@without(security_opt=["seccomp=unconfined"])
def test_the_default_filter_refuses_system_calls_that_need_no_capability(container):
    """Docker's seccomp filter refuses calls that the kernel itself would allow every user.

    Kernel: before it runs a system call, the kernel runs the process's filter on its number and
        arguments. Docker's profile is an allow list; what is not on it gets EPERM. clone3, whose
        arguments a filter can not see, gets ENOSYS (since 20.10.10), and libc falls back to clone.
    Without: with no filter the kernel decides: done, or an error of the arguments given.
    Source: seccomp(2), docs.docker.com/engine/security/seccomp, moby seccomp default.json
    """
    answered = container.answers_to(
        SystemCall("unshare", CLONE_NEWUSER),
        SystemCall("clone", CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0),
        SystemCall("setns", NO_DESCRIPTOR, 0),
        SystemCall("keyctl", 0, SESSION_KEYRING, 0),
        SystemCall("get_mempolicy", 0, 0, 0, 0, 0),
        SystemCall("personality", ADDR_NO_RANDOMIZE),
        SystemCall("clone3", 0, 0),
    )

    assert answered == {
        "unshare": "EPERM",
        "clone": "EPERM",
        "setns": "EPERM",
        "keyctl": "EPERM",
        "get_mempolicy": "EPERM",
        "personality": "EPERM",
        "clone3": "ENOSYS",
    }


@answers("study-37")
@requires("default-filter")
@fresh
@started_with(cap_add=["SYS_ADMIN"])
@without("the capability SYS_ADMIN", cap_add=None)
def test_a_capability_opens_the_filter_as_well(container):
    """--cap-add=SYS_ADMIN also lets calls through Docker's filter that it stopped before.

    Kernel: a filter knows nothing of capabilities. Docker writes it for each container, with more
        calls on the list for each capability that was given. Past the filter, setns(2) says of -1
        that it is no descriptor: EBADF.
    Without: with the filter for the default capabilities the call does not get that far: EPERM.
    Source: moby seccomp default.json, includes: caps
    """
    answer = container.answer_to(SystemCall("setns", NO_DESCRIPTOR, 0))

    assert (container.init.seccomp, answer) == ("filter", "EBADF")


@answers("deep-3")
@fresh
@started_with(security_opt=["seccomp=unconfined"])
@without(cap_add=["SYS_ADMIN"])
def test_without_the_filter_capabilities_still_refuse(container):
    """Filter and capabilities are two locks: with the filter off, the other one still holds.

    Kernel: unshare(2) of the mount namespace asks for CAP_SYS_ADMIN.
    Without: with both locks open the call is done.
    Source: unshare(2), capabilities(7)
    """
    answer = container.answer_to(SystemCall("unshare", CLONE_NEWNS))

    assert answer == "EPERM"


@fresh
@started_with(user="1000:1000", security_opt=["no-new-privileges"])
@without("no-new-privileges", security_opt=["no-new-privileges=false"])
def test_no_new_privileges_makes_a_setuid_program_an_ordinary_one(container):
    """With no-new-privileges a program of root's with the setuid bit does not run as root.

    Kernel: once the attribute no_new_privs of a process is set, execve(2) ignores setuid bits and
        file capabilities, for it and all its descendants, for ever.
    Without: the same program of user 1000 runs as root, and its setuid(0) is done.
    Source: PR_SET_NO_NEW_PRIVS(2const), execve(2)
    """
    answer = container.answer_to(SystemCall("setuid", 0), mode=0o4755)

    assert (container.init.no_new_privs, answer) == (True, "EPERM")


@answers("deep-3", "deep-5")
@requires("oci-runtime")
@without(security_opt=["systempaths=unconfined"])
def test_what_proc_tells_of_the_machine_is_covered(container, host):
    """Files of /proc and /sys that tell of the machine as a whole are covered in a container.

    Kernel: /proc of a PID namespace still has files that belong to no namespace, such as the
        kernel's keys and timers. The runtime mounts an empty tmpfs or /dev/null over each.
    Without: systempaths=unconfined leaves them open.
    Source: OCI runtime-spec config-linux.md, maskedPaths; moby daemon/pkg/oci/defaults.go
    """
    masked = (
        "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
        "/proc/scsi", "/proc/timer_list", "/sys/firmware",
    )  # fmt: skip
    there = host.exec("ls", "-d", *masked).output.split()
    mounts = container.init.mounts

    assert [path for path in there if path not in mounts] == []


@answers("deep-3")
@requires("oci-runtime", "user-namespace-of-the-host")
@fresh
@without(security_opt=["systempaths=unconfined"])
def test_the_settings_of_the_kernel_are_read_only(container):
    """Not even root may write to the kernel's settings below /proc/sys.

    Kernel: the runtime bind mounts parts of /proc onto themselves read-only; opening a file for
        writing is refused (EROFS) before the kernel looks at who asks. The file here is of
        the container's own UTS namespace, and nothing is written.
    Without: systempaths=unconfined leaves /proc/sys writable; AppArmor, where it is on, answers
        EACCES instead.
    Source: OCI runtime-spec config-linux.md, readonlyPaths; open(2)
    """
    answer = container.answer_to(
        SystemCall("openat", AT_FDCWD, "/proc/sys/kernel/hostname", os.O_WRONLY)
    )

    assert answer == "EROFS"


@answers("deep-3")
@requires("oci-runtime", "cgroups", "user-namespace-of-the-host")
@fresh
@without(device_cgroup_rules=["c 1:11 w"])
@without(devices=["/dev/kmsg:/dev/kmsg:w"])
def test_a_device_that_is_not_on_the_list_can_be_made_but_not_opened(container):
    """Root in a container can make a node for any device; to open it, it must be on a list.

    Kernel: mknod(2) asks for CAP_MKNOD only. open(2) of a device asks the cgroup: on v1 its
        devices.list, on v2 a BPF program. The device here is the kernel's log, for writing.
    Without: --device-cgroup-rule puts it on the list, --device besides makes the node.
    Source: cgroup-v1/devices.rst, cgroup-v2.rst, Device controller; docker run --device
    """
    answered = container.answers_to(
        SystemCall("mknodat", AT_FDCWD, "/kmsg", S_IFCHR | 0o600, KMSG),
        SystemCall("openat", AT_FDCWD, "/kmsg", os.O_WRONLY),
    )

    assert answered == {"mknodat": "done", "openat": "EPERM"}


@fresh
@started_with(read_only=True, tmpfs={"/scratch": ""})
@without("--read-only", read_only=None)
def test_a_read_only_root_leaves_only_what_is_mounted_on_it_writable(container):
    """With --read-only nothing of the root can be written; a tmpfs on it and /dev/shm can.

    Kernel: the flag ro is of one mount and not of those upon it. A write through it is refused
        (EROFS), root's too.
    Without: the file in the root is made as well.
    Source: mount(2), MS_RDONLY; docker run --read-only
    """
    places = ("/file", "/scratch/file", "/dev/shm/file")

    written = [place for place in places if container.exec("touch", place).exit_code == 0]

    assert written == ["/scratch/file", "/dev/shm/file"]


@started_with(sysctls={"net.ipv4.ip_default_ttl": "42"})
@without("--sysctl", sysctls=None)
def test_a_setting_of_a_namespace_can_be_set_for_one_container(container, host):
    """--sysctl changes a setting that belongs to a namespace, for that container alone.

    Kernel: /proc/sys/net shows the settings of the reader's network namespace; each has its own.
    Without: the container has the kernel's default, 64.
    Source: networking/ip-sysctl.rst, docker run --sysctl
    """
    setting = "/proc/sys/net/ipv4/ip_default_ttl"

    inside, outside = container.read(setting), host.exec("cat", setting).output

    assert (inside, outside == inside) == ("42", False)


@answers("deep-46")
@given(setting="vm.swappiness")
@without("the host's setting: one of the network namespace", setting="net.ipv4.ip_default_ttl")
def test_a_setting_of_the_whole_machine_is_refused(host, run, setting):
    """--sysctl with a setting that is in no namespace is refused, and no container starts.

    Kernel: vm.swappiness exists once. A container that could set it would set it for all, so the
        runtime has a list of what belongs to which namespace. The value here is the host's own.
    Without: a setting of the network namespace is accepted.
    Source: runc libcontainer/configs/validate, docker run --sysctl
    """
    value = host.exec("cat", f"/proc/sys/{setting.replace('.', '/')}").output

    assert run("true", sysctls={setting: value}) != 0


@started_with(oom_score_adj=500)
@without("--oom-score-adj", oom_score_adj=None)
def test_a_container_can_be_made_a_likelier_victim(container):
    """--oom-score-adj makes a container's processes likelier victims when memory runs out.

    Kernel: where all memory is short, the OOM killer picks the highest score; 500 adds half of
        all memory to it. Less than 0 would want CAP_SYS_RESOURCE.
    Without: the adjustment is 0.
    Source: proc_pid_oom_score_adj(5)
    """
    assert container.init.oom_score_adj == 500


@without(
    "closing: the first process keeps a file open",
    command=("sh", "-c", "exec 9</etc/group; exec sleep infinity"),
)
def test_a_container_gets_no_open_file_of_the_host(container):
    """The first process of a container has standard input, output and error, and nothing else open.

    Kernel: an open descriptor is a right that no namespace takes away, and execve(2) hands on
        each that is not marked close-on-exec. One of the host's root was CVE-2024-21626.
    Without: a descriptor that is left open shows.
    Source: execve(2), open(2), https://nvd.nist.gov/vuln/detail/CVE-2024-21626
    """
    assert set(container.init.descriptors) == {0, 1, 2}


@answers("deep-3")
@requires("apparmor")
@without(security_opt=["apparmor=unconfined"])
def test_with_apparmor_a_container_has_a_profile(container):
    """Where AppArmor is on, a container's processes run under the profile docker-default.

    Kernel: a security module asks its own policy beside all other checks. /proc/<pid>/attr/current
        has the name of the profile that a process is confined by.
    Without: apparmor=unconfined leaves it to the other checks.
    Source: apparmor(7), docs.docker.com/engine/security/apparmor
    """
    assert container.init.security_label == "docker-default (enforce)"


@answers("deep-3")
@requires("selinux")
@without(security_opt=["label=disable"])
def test_with_selinux_two_containers_have_different_labels(container, neighbour):
    """Where the engine uses SELinux, each container has a label with categories of its own.

    Kernel: type enforcement keeps container_t from what is the host's; two containers of that type
        are kept apart by their categories, as in s0:c12,c345.
    Without: with label=disable a container is not confined, and its label has no category.
    Source: selinux(8), docker run --security-opt label, container-selinux container.te
    """
    mine, neighbours = container.init.security_label, neighbour.init.security_label

    assert (":c" in mine, mine == neighbours) == (True, False)


@answers("deep-3")
@requires("user-namespace-of-the-host", "privileged")
@started_with(privileged=True)
@without("--privileged", privileged=None)
def test_privileged_opens_every_lock_but_the_namespaces(container):
    """A privileged container may change the kernel itself, has no filter, and all of /proc.

    Kernel: --privileged is no right of its own: it sets each of these attributes to its widest.
        The namespaces, the cgroup and the root stay the container's own.
    Without: the container has 14 capabilities and a filter, and /proc/sys is read-only.
    Source: docker run --privileged, moby daemon/oci_linux.go
    """
    init = container.init
    may_load_modules = "SYS_MODULE" in init.capabilities.effective

    assert (may_load_modules, init.seccomp, "/proc/sys" in init.mounts) == (True, "disabled", False)


@answers("deep-5", "study-44")
@requires("cgroups", "seccomp")
@started_with(
    pid_mode="host",
    cap_drop=["NET_RAW"],
    security_opt=["seccomp=unconfined", "no-new-privileges"],
    read_only=True,
    oom_score_adj=500,
    pids_limit=64,
    ulimits=[{"Name": "nofile", "Soft": 256, "Hard": 256}],
)
@neighbour_started_with(security_opt=["no-new-privileges=false"])
@without("--pid", pid_mode=None)
@without("--cap-drop", cap_drop=None)
@without("seccomp=unconfined", security_opt=["no-new-privileges"])
@without("no-new-privileges", security_opt=["seccomp=unconfined", "no-new-privileges=false"])
@without("--read-only", read_only=None)
@without("--oom-score-adj", oom_score_adj=None)
@without("--pids-limit=64", pids_limit=128)
@without("--ulimit", ulimits=None)
def test_each_option_changes_what_it_claims_and_nothing_else(container, neighbour, host):
    """Eight options of docker run change what each of them claims, and leave all else as it was.

    Kernel: a container is no object that would tie them together. Each attribute of a process is
        set on its own: namespaces, capabilities, filter, limits, mounts, cgroup.
    Without: with one option less, just what that one claims is unchanged: as the neighbour's, who
        has none of them.
    Source: proc_pid_status(5), proc_pid_limits(5), OCI runtime-spec config-linux.md
    """
    mine = Posture.of(container.init, host.process)
    neighbours = Posture.of(neighbour.init, host.process)

    changed = mine.changed_from(neighbours)

    assert (CLAIMED - changed, changed - CLAIMED) == (set(), set())


@answers("how-8")
@requires("docker-cli")
@given(command="docker docker run", flag="-cap-add=SYS_PTRACE")
@without("the second docker", command="docker run")
@without("the single dash: two dashes", flag="--cap-add=SYS_PTRACE")
def test_the_debug_command_of_the_course_does_not_parse(host, command, flag):
    """`docker docker run … -cap-add=SYS_PTRACE` has two mistakes: docker knows neither.

    Kernel: it is not asked. The command line is read by the client, which sends no request.
    Without: `docker run` asks for an image. With two dashes the flag is known; with one it is read
        as -c, --cpu-shares, with the value ap-add=SYS_PTRACE.
    Source: docker run --help; pflag, Command line flag syntax
    """
    first = host.exec(*command.split()).stderr
    second = host.exec("docker", "run", flag, "--help").stderr
    unknown = "unknown command" in first or "not a docker command" in first

    assert (unknown, "--cpu-shares" in second) == (True, True)


@answers("how-8")
@requires("default-filter")
@fresh
@started_with(cap_add=["SYS_PTRACE"], security_opt=["seccomp=unconfined"])
@without("--cap-add", cap_add=None)
@without("seccomp=unconfined", security_opt=None)
def test_the_flags_of_the_debug_command_give_a_debugger_what_it_asks_for(container):
    """With --cap-add=SYS_PTRACE and seccomp=unconfined, gdb can attach, and fix addresses.

    Kernel: ptrace(2) of a process of another user asks for CAP_SYS_PTRACE. personality(2) turns
        the randomization of addresses off, and Docker's filter refuses it.
    Without: each flag gives one of the two and not the other.
    Source: ptrace(2), personality(2), gdb, set disable-randomization
    """
    may_attach = "SYS_PTRACE" in container.init.capabilities.effective

    answer = container.answer_to(SystemCall("personality", ADDR_NO_RANDOMIZE))

    assert (may_attach, answer) == (True, "done")


@answers("how-8")
@requires("default-filter")
@fresh
@without(security_opt=["seccomp=unconfined"])
def test_by_default_a_debugger_can_trace_its_own_child(container):
    """Without any flag a debugger in a container can trace what it starts, with random addresses.

    Kernel: ptrace(2) of one's own child asks for no capability, and Docker's filter lets it pass
        since Linux 4.8. personality(2) with ADDR_NO_RANDOMIZE it does not.
    Without: with no filter both calls are done.
    Source: ptrace(2), moby seccomp default.json, minKernel 4.8
    """
    answered = container.answers_to(
        SystemCall("ptrace", PTRACE_TRACEME), SystemCall("personality", ADDR_NO_RANDOMIZE)
    )

    assert answered == {"ptrace": "done", "personality": "EPERM"}


@answers("study-40")
@started_with(volumes=["{folder}:/run/secrets:ro"])
@without("the file: an environment variable", volumes=None, environment={"PASSWORD": PHRASE})
def test_a_secret_in_a_file_is_not_shown_by_docker_inspect(container, folder):
    """A secret that is mounted as a file is in the container, and not in what docker inspect shows.

    Kernel: a file is read by whom its mode allows. The environment is handed to the program by
        execve(2), and by default on to all that it starts; the engine keeps it in its records.
    Without: in an environment variable, the secret is shown to all who may ask the engine.
    Source: environ(7), docs.docker.com/compose/how-tos/use-secrets
    """
    (folder / "password").write_text(PHRASE)

    shown = PHRASE in str(container.inspect("Config.Env"))

    assert (container.has("/run/secrets/password"), shown) == (True, False)


@answers("deep-3", "how-4")
@requires("user-namespace-of-the-host", "unlabelled")
@private_engine()
@started_with(
    volumes=["{socket}:/docker.sock"], cap_drop=["ALL"], security_opt=["no-new-privileges"]
)
@without("the socket", volumes=None)
def test_who_reaches_the_docker_socket_is_root_on_the_host(container, engine, folder):
    """A container with no capability at all, but with Docker's socket, writes anywhere on the host.

    Kernel: it sees an ordinary process that writes to a socket. What is asked for there is done
        by the engine, which is root: here a second container with the host's / bind mounted.
    Without: there is no socket to connect to, and nothing is written.
    Source: docs.docker.com/engine/security, Docker daemon attack surface; unix(7)
    """
    second = {
        "Image": engine.images["base"],
        "Cmd": ["touch", f"/host{folder}/by-root"],
        "HostConfig": {"Binds": ["/:/host"], "NetworkMode": "none"},
    }

    container.answer_to(
        *http(
            "/docker.sock",
            request("POST", "/containers/create?name=second", second),
            request("POST", "/containers/second/start"),
            request("POST", "/containers/second/wait", last=True),
        )
    )

    assert [(each.name, each.stat().st_uid) for each in folder.iterdir()] == [("by-root", 0)]


@answers("deep-46")
@requires("user-namespace-of-the-host")
@fresh
@without(cap_add=["SYS_TIME"])
@without(cap_add=["SYSLOG"])
def test_the_clock_and_the_log_of_the_kernel_are_closed_to_a_container(container):
    """No namespace isolates the clock and the kernel's log: only capabilities keep a container off.

    Kernel: both exist once: a time namespace shifts the clocks since boot, and not the time of day.
        Setting the clock asks for CAP_SYS_TIME, reading the log for CAP_SYSLOG. The calls here set
        nothing and read nothing but the log's size.
    Without: with the capability, a container may set the clock, or read the log, of the host.
    Source: settimeofday(2), syslog(2), time_namespaces(7)
    """
    answered = container.answers_to(
        SystemCall("settimeofday", 0, 0), SystemCall("syslog", SIZE_OF_THE_LOG, 0, 0)
    )

    assert answered == {"settimeofday": "EPERM", "syslog": "EPERM"}


@answers("deep-31", "deep-30", "deep-46")
@fresh
@given(opens=True)
@without("the open files", opens=False)
def test_the_files_that_a_container_opens_count_in_a_total_of_the_host(container, host, opens):
    """Each process has its own table of open files, but all count in one total of the kernel.

    Kernel: the first number of /proc/sys/fs/file-nr is what the whole machine has open, the last
        the most that it may. It is in no namespace, so a container uses up what others need.
    Without: when the container opens nothing, the total stays about where it was.
    Source: proc_sys_fs(5), file-nr; admin-guide/sysctl/fs.rst
    """
    before = int(host.exec("cut", "-f1", "/proc/sys/fs/file-nr").output)
    if opens:
        container.spawn("sh", "-c", OPEN_3600_FILES)
        wait_until(lambda: int(container.exec("sh", "-c", COUNT_OPEN_FILES).output) >= 3600)
    after = int(host.exec("cut", "-f1", "/proc/sys/fs/file-nr").output)

    assert after - before > 1800


@answers("deep-31")
@fresh
@started_with(network_mode="bridge", cap_add=["NET_ADMIN"])
@neighbour_started_with(network_mode="bridge")
@without(network_mode="container:{neighbour}")
def test_an_arp_entry_is_seen_in_one_network_namespace_only(container, neighbour):
    """An ARP entry of a container is not in the table of its neighbour.

    Kernel: the neighbour table is one for the machine, with one upper limit, gc_thresh3. Each entry
        belongs to a device, and so to that one's network namespace.
    Without: with --network=container:… both see the same device, and the same entry.
    Source: arp(7), network_namespaces(7), networking/ip-sysctl.rst
    """
    container.exec("busybox", "arp", "-i", "eth0", "-s", "192.0.2.1", "02:00:00:00:00:01")

    mine, neighbours = container.read("/proc/net/arp"), neighbour.read("/proc/net/arp")

    assert ("192.0.2.1" in mine, "192.0.2.1" in neighbours) == (True, False)
