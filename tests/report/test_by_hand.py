"""What is printed to be typed can be typed: quotes, variables, order, and nothing that is not so."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest

from fixtures.report import by_hand

from .runs import (
    CARRIED,
    FOLDER,
    HOST_PID,
    IMAGE_ID,
    NEIGHBOUR_PID,
    PID,
    Event,
    api,
    build,
    capture,
    command,
    container,
    file,
    host,
    identity,
    process,
    sent,
    trial,
)

RUN = "docker run --detach --name=lab-container --memory=32m busybox sleep infinity"
PIDS = "container=$(docker inspect --format '{{.State.Pid}}' lab-container)"
END = "docker rm --force lab-container"


def steps(*events: Event) -> list[str]:
    lines = by_hand.steps(trial("as-is", "held", *events))
    if bash := shutil.which("bash"):
        subprocess.run([bash, "-n"], input="\n".join(lines), text=True, check=True)
    return lines


def middle(*events: Event) -> list[str]:
    """What is typed in a trial with one container, between its start and its removal."""
    first, *lines, last = steps(container(), *events)
    assert (first, last) == (RUN, END)
    return [line for line in lines if line != PIDS]


def test_a_trial_without_a_container_has_no_steps() -> None:
    assert steps() == []


def test_a_container_goes_by_its_role_and_its_pid_is_asked_for_where_it_is_used() -> None:
    assert steps(container()) == [RUN, END]
    assert steps(container(), file(f"/proc/{PID}/uid_map")) == [
        RUN,
        PIDS,
        "sudo cat /proc/$container/uid_map",
        END,
    ]


def test_a_container_whose_line_names_another_is_started_after_it() -> None:
    joins = f"docker run --detach --pid=container:{identity('neighbour')} busybox"
    neighbour = container("docker run --detach busybox", "neighbour", NEIGHBOUR_PID)

    assert steps(container(joins), neighbour) == [
        "docker run --detach --name=lab-neighbour busybox",
        "docker run --detach --name=lab-container --pid=container:lab-neighbour busybox",
        "docker rm --force lab-neighbour lab-container",
    ]


def test_a_container_that_comes_later_is_started_later() -> None:
    later = container("docker run --detach busybox", "new container", NEIGHBOUR_PID)

    assert steps(container(), command("rm", "/x", stdout="."), later)[1:] == [
        "docker exec lab-container rm /x",
        "docker run --detach --name=lab-new_container busybox",
        "docker rm --force lab-container lab-new_container",
    ]


@pytest.mark.parametrize("role", ["host", "folder", "../../x; rm -rf ~", "1", "", "$PATH"])
def test_no_role_becomes_another_variable_or_a_command(role: str) -> None:
    line = steps(container("docker run --detach busybox", role), file(f"/proc/{PID}/maps"))[2]

    assert line.startswith("sudo cat /proc/$")
    assert line.endswith("/maps")
    assert line[len("sudo cat /proc/$") : -len("/maps")].isidentifier()
    assert line not in ("sudo cat /proc/$host/maps", "sudo cat /proc/$folder/maps")


@pytest.mark.parametrize(
    ("argv", "typed"),
    [
        (("echo", "a b"), "echo 'a b'"),
        (("sh", "-c", "echo 'a b' > /x"), """sh -c "echo 'a b' > /x\""""),
        (("sh", "-c", "echo '$x'"), """sh -c 'echo '"'"'$x'"'"''"""),
        (("cat", f"/proc/{HOST_PID}/maps"), "cat /proc/$host/maps"),
        (("sleep", f"9.{HOST_PID}"), "sleep 9.$host"),
        (("echo", f"{HOST_PID}0"), f"echo {HOST_PID}0"),
        (("test", "-e", f"{FOLDER}/note"), "test -e $folder/note"),
        (("sh", "-c", f"echo '$x' > {FOLDER}/a"), """sh -c "echo '\\$x' > $folder/a\""""),
        (("echo", f"{FOLDER}x"), "echo ${folder}x"),
        (("echo", f"it's {FOLDER}!x"), """echo 'it'"'"'s '"$folder"'!x'"""),
        (("echo", "it's!"), """echo 'it'"'"'s!'"""),
        (("ping", identity("container")), "ping lab-container"),
    ],
)
def test_a_command_is_quoted_and_what_is_another_each_time_is_a_variable(
    argv: tuple[str, ...], typed: str
) -> None:
    lines = steps(container(), host(), command(*argv, stdout="."))

    assert f"docker exec lab-container {typed}" in lines
    assert ("folder" in typed) == any(line.startswith("folder=") for line in lines)


def test_the_folder_and_the_process_of_the_host_are_made_first_and_removed_last() -> None:
    assert steps(container(), host(), command("ls", f"{FOLDER}/{HOST_PID}", stdout=".")) == [
        "folder=$(mktemp -d)  # what to do with it, the code says",
        RUN,
        "sleep infinity & host=$!",
        "docker exec lab-container ls $folder/$host",
        END,
        "kill $host",
        "sudo rm -r $folder",
    ]


def test_an_exit_code_is_asked_for_where_it_says_something() -> None:
    assert middle(
        command("test", "-e", "/x"),
        command("kill", "-0", "9", exit_code=1, stderr="no"),
        command("cat", "/x", stdout="x"),
        command("cat", "/y", stdout="y", exit_code=1),
    ) == [
        "docker exec lab-container test -e /x; echo $?",
        "docker exec lab-container kill -0 9; echo $?",
        "docker exec lab-container cat /x",
        "docker exec lab-container cat /y; echo $?",
    ]


def test_a_container_of_the_users_own_is_never_named() -> None:
    """Where `docker run --name=…` fails, the clean-up must not remove what had the name."""
    neighbour = container("docker run --detach busybox", "neighbour", NEIGHBOUR_PID)

    lines = steps(container(), neighbour, command("true"), api("docker diff"))

    named = re.findall(r"(?:--name=|exec |--force )(\S+)", "\n".join(lines))
    assert named
    assert all(name.startswith("lab-") for name in named)


def test_short_names_are_no_bomb() -> None:
    names = [container(role=chr(98 + n) * 99, pid=n) | {"id": chr(97 + n)} for n in range(1, 9)]

    assert len("".join(steps(*names, command("bcdefghi" * 10, where="host")))) < 100_000


def test_a_command_on_the_host_is_typed_as_it_is() -> None:
    assert middle(command("uname", "-n", where="host", stdout="vm")) == ["uname -n"]


def test_what_was_looked_at_twice_is_typed_twice_only_if_something_was_done_between() -> None:
    name = command("uname", "-n", where="host", stdout="vm")
    uid = file(f"/proc/{PID}/uid_map")

    assert middle(uid, name, name, uid, uid, command("hostname", "x"), name, uid) == [
        "sudo cat /proc/$container/uid_map",
        "uname -n",
        "sudo cat /proc/$container/uid_map",
        "docker exec lab-container hostname x; echo $?",
        "uname -n",
        "sudo cat /proc/$container/uid_map",
    ]


def test_a_process_that_runs_on_is_found_by_its_command_line() -> None:
    inside = f"isolation-labs-42-{PID}"

    assert middle(process(inside, "sleep", "1000", pid=201)) == [
        "docker exec --detach lab-container sleep 1000"
    ]
    assert middle(process(inside, "sleep", "1000", pid=201), file("/proc/201/cgroup")) == [
        "docker exec --detach lab-container sleep 1000",
        "process=$(pgrep --newest --full 'sleep 1000')",
        "sudo cat /proc/$process/cgroup",
    ]


def test_a_process_that_something_inside_started_is_not_started_again() -> None:
    found = process(f"isolation-labs-42-{PID}", "sleep", "1000", pid=201, found=True)

    assert middle(found, file("/proc/201/cgroup")) == [
        "process=$(pgrep --newest --full 'sleep 1000')",
        "sudo cat /proc/$process/cgroup",
    ]


def test_a_signal_is_sent_again_to_who_got_it_and_not_to_a_number() -> None:
    found = process(f"isolation-labs-42-{PID}", "sleep", "1000", pid=201, found=True)

    assert middle(found, sent("SIGKILL", 201), sent("SIGTERM", PID), sent("SIGHUP", 999)) == [
        "process=$(pgrep --newest --full 'sleep 1000')",
        "sudo kill -s SIGKILL $process",
        "sudo kill -s SIGTERM $container",
        "# the run sent SIGHUP to process 999",
    ]


def test_a_signal_to_the_shim_goes_to_the_parent_of_the_container_s_first_process() -> None:
    started = container() | {"ancestors": [{"pid": 150, "name": "containerd-shim"}]}

    assert steps(started, sent("SIGKILL", 150)) == [
        RUN,
        PIDS,
        "shim=$(ps -o ppid= -p $container | tr -d ' ')",
        "sudo kill -s SIGKILL $shim",
        END,
    ]


def test_what_curl_created_is_removed_at_the_end() -> None:
    asked = "http://engine/containers/create?name=lab-by-curl"

    lines = steps(container(), command("curl", asked, where="host"))

    assert lines[-2:] == [END, "docker rm --force lab-by-curl"]


def test_a_process_that_nsenter_started_is_not_nsenter() -> None:
    entered = process("host", "nsenter", f"--target={PID}", "--pid", "sleep", "9", pid=201)

    assert middle(entered, file("/proc/201/cgroup")) == [
        "sudo --background nsenter --target=$container --pid sleep 9",
        "process=$(sleep 1; pgrep --newest --full 'sleep 9')",
        "sudo cat /proc/$process/cgroup",
    ]


@pytest.mark.parametrize(
    ("read", "typed"),
    [
        (file(f"/proc/{PID}/ns/pid"), "sudo ls -l /proc/$container/ns"),
        (file(f"/proc/{PID}/status", field="NSpid"), "sudo grep NSpid: /proc/$container/status"),
        (file(f"/proc/{PID}/status", field="CapEff"), "sudo grep Cap /proc/$container/status"),
        (file(f"/proc/{PID}/stat", field="state"), "sudo grep State: /proc/$container/status"),
        (file(f"/proc/{PID}/net/tcp6", field="listening"), "sudo cat /proc/$container/net/tcp6"),
        (
            file(f"/proc/{PID}/mountinfo", field="/a b"),
            """sudo awk '$5 == "/a b"' /proc/$container/mountinfo""",
        ),
        (file("/proc/*/cmdline"), "ps -e -o args"),
        (file(f"/proc/{PID}/cmdline"), "sudo cat /proc/$container/cmdline | tr '\\0' ' '"),
        (file("/proc/999/status", field="PPid"), "# the run read /proc/999/status PPid"),
        (file("/etc/a\nb"), "# the run read /etc/a b"),
        (api("docker info Driver"), "docker info --format '{{.Driver}}'"),
        (
            api("docker inspect State.Pid"),
            "docker inspect --format '{{.State.Pid}}' lab-container",
        ),
        (api("docker diff"), "docker diff lab-container"),
        (
            api(f"docker update --memory=9m isolation-labs-42-{PID}"),
            "docker update --memory=9m lab-container",
        ),
        (
            api(f"docker inspect State.Pid isolation-labs-42-{PID}"),
            "docker inspect --format '{{.State.Pid}}' lab-container",
        ),
        (api(f"docker logs isolation-labs-42-{PID}"), "docker logs lab-container"),
        (api("systemctl restart docker"), "sudo systemctl restart docker"),
        (api(f"docker attach isolation-labs-42-{PID}"), "docker attach lab-container"),
        (api(f"docker stop -t 1 isolation-labs-42-{PID}"), "docker stop -t 1 lab-container"),
        (
            api("docker run --rm busybox sh -c 'exit 3'"),
            "docker run --rm busybox sh -c 'exit 3'; echo $?",
        ),
        (api("docker info $(reboot)"), "# the run asked the engine: docker info $(reboot)"),
        (api("POST /x\nreboot"), "# the run asked the engine: POST /x reboot"),
        (command("a", where="elsewhere", stdout="x"), "# the run ran in elsewhere: a"),
    ],
)
def test_what_was_read_is_read_again_or_else_said(read: Event, typed: str) -> None:
    assert middle(read) == [typed]


def test_of_several_containers_the_one_that_was_asked_about_is_not_guessed() -> None:
    neighbour = container("docker run --detach busybox", "neighbour", NEIGHBOUR_PID)

    assert "# the run asked the engine: docker diff" in steps(
        container(), neighbour, api("docker diff")
    )


def test_what_the_bench_looked_at_before_it_lent_a_container_is_left_out() -> None:
    assert steps(file(f"/proc/{PID}/stat", "S", "state"), container()) == [RUN, END]


VOLUME = "isolation-labs-volume-42-7"


def test_a_volume_goes_by_a_plain_name_and_is_removed_after_its_containers() -> None:
    line = f"docker run --detach --volume={VOLUME}:/data busybox"
    mountpoint = f"/var/lib/docker/volumes/{VOLUME}/_data"

    assert steps(
        container(line),
        container(line, "new container", NEIGHBOUR_PID),
        host(),
        api("docker volume inspect Mountpoint", mountpoint),
        file(f"/proc/{PID}/root/data", "7:9", "inode"),
        file(f"/proc/{HOST_PID}/root{mountpoint}", "7:9", "inode"),
    ) == [
        "docker run --detach --name=lab-container --volume=lab-volume:/data busybox",
        PIDS,
        "docker run --detach --name=lab-new_container --volume=lab-volume:/data busybox",
        "sleep infinity & host=$!",
        "mountpoint=$(docker volume inspect --format '{{.Mountpoint}}' lab-volume)",
        "sudo stat --format %d:%i /proc/$container/root/data",
        "sudo stat --format %d:%i /proc/$host/root$mountpoint",
        "docker rm --force lab-container lab-new_container",
        "kill $host",
        "docker volume rm lab-volume",
    ]


def test_what_is_done_to_a_container_is_done_and_one_that_was_removed_is_gone() -> None:
    name = f"isolation-labs-42-{PID}"

    assert steps(
        container(),
        api(f"docker stop --time=0 {name}", "done"),
        api(f"docker rm --force --volumes {name}", "removed"),
        api("docker stop --time=0 isolation-labs-42-9", "done"),
    ) == [
        RUN,
        "docker stop --time=0 lab-container",
        "docker rm --force --volumes lab-container",
        "# the run asked the engine: docker stop --time=0 isolation-labs-42-9",
    ]


def test_a_container_that_is_started_again_has_another_pid() -> None:
    assert steps(
        container(),
        file(f"/proc/{PID}/uid_map"),
        api(f"docker start isolation-labs-42-{PID}", "done"),
        container(pid=201) | {"name": f"isolation-labs-42-{PID}"},
        file("/proc/201/uid_map"),
    ) == [
        RUN,
        PIDS,
        "sudo cat /proc/$container/uid_map",
        "docker start lab-container",
        PIDS,
        "sudo cat /proc/$container/uid_map",
        END,
    ]


def test_what_is_mounted_in_the_folder_is_unmounted_before_it_is_removed() -> None:
    assert steps(
        container(f"docker run --detach --volume={FOLDER}:/shared busybox"),
        host(),
        command("mount", "-t", "tmpfs", "mine", FOLDER, where="host"),
        command("nsenter", f"--target={PID}", "--mount", "mount", "-l", where="host", stdout="."),
        file(f"/proc/{HOST_PID}/mountinfo", "mounted", f"{FOLDER}/below"),
        file(f"/proc/{HOST_PID}/mountinfo", "not mounted", "/var/lib/docker/0123/merged"),
    ) == [
        "folder=$(mktemp -d)  # what to do with it, the code says",
        "docker run --detach --name=lab-container --volume=$folder:/shared busybox",
        PIDS,
        "sleep infinity & host=$!",
        "sudo mount -t tmpfs mine $folder; echo $?",
        "sudo nsenter --target=$container --mount mount -l",
        'sudo grep " $folder/below " /proc/$host/mountinfo',
        "sudo cat /proc/$host/mountinfo",
        "docker rm --force lab-container",
        "kill $host",
        "sudo umount --recursive $folder",
        "sudo rm -r $folder",
    ]


V1 = f"4:memory:/docker/{identity('container')}\n1:cpu,cpuacct:/docker/{identity('container')}"
V2 = f"0::/system.slice/docker-{identity('container')}.scope"


@pytest.mark.parametrize(
    ("lines", "path", "typed"),
    [
        (
            V1,
            f"/sys/fs/cgroup/memory/docker/{identity('container')}/memory.limit_in_bytes",
            (
                "cat /sys/fs/cgroup/memory$(grep :memory: /proc/$container/cgroup | cut -d: -f3-)"
                "/memory.limit_in_bytes"
            ),
        ),
        (
            V1,
            f"/sys/fs/cgroup/cpu/docker/{identity('container')}/cpu.cfs_quota_us",
            (
                "cat /sys/fs/cgroup/cpu$(grep :cpu,cpuacct: /proc/$container/cgroup | cut -d: -f3-)"
                "/cpu.cfs_quota_us"
            ),
        ),
        (
            V2,
            f"/sys/fs/cgroup/system.slice/docker-{identity('container')}.scope/memory.max",
            "cat /sys/fs/cgroup$(grep '^0::' /proc/$container/cgroup | cut -d: -f3-)/memory.max",
        ),
        ("0::/", "/sys/fs/cgroup/memory.max", "# the run read /sys/fs/cgroup/memory.max"),
    ],
)
def test_a_cgroup_file_is_found_by_way_of_the_process(lines: str, path: str, typed: str) -> None:
    assert middle(file(f"/proc/{PID}/cgroup", lines), file(path, "1")) == [
        "sudo cat /proc/$container/cgroup",
        typed,
    ]


def test_a_file_in_a_layer_is_found_by_way_of_the_mount_table() -> None:
    mount = "75 50 0:39 / / rw - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/u/diff,workdir=/w"

    assert middle(
        file(f"/proc/{PID}/mountinfo", mount, "/"),
        file("/l/A", "/real/a", "link"),
        file("/l/B", "/real/b", "link"),
        file("/real/b/etc/motd", "abc", "sha256"),
        file("/u/diff/etc/motd", "whiteout"),
        file("/u/diff", "(empty)"),
    ) == [
        """sudo awk '$5 == "/"' /proc/$container/mountinfo""",
        (
            "container_upper=$(sudo grep -o 'upperdir+*=[^,]*' /proc/$container/mountinfo"
            " | cut -d= -f2 | tr : '\\n')"
        ),
        (
            "container_lower=$(sudo grep -o 'lowerdir+*=[^,]*' /proc/$container/mountinfo"
            " | cut -d= -f2 | tr : '\\n')"
        ),
        "for layer in $container_lower; do sudo sha256sum $layer/etc/motd; done",
        "sudo ls -lid $container_upper/etc/motd",
        "sudo find $container_upper -mindepth 1",
    ]


def test_a_device_is_that_of_the_mount_that_was_just_seen_or_else_all_is_shown() -> None:
    lines = steps(
        container(),
        host(),
        file(f"/proc/{PID}/mountinfo", "93 75 0:48 / /x rw - tmpfs tmpfs rw", "/x"),
        file(f"/proc/{HOST_PID}/mountinfo", "not mounted", "0:48"),
        file(f"/proc/{HOST_PID}/mountinfo", "not mounted", "0:99"),
    )

    assert lines[4:6] == [
        (
            """sudo grep " $(sudo awk '$5 == "/x" {print $3}' /proc/$container/mountinfo) " """
            "/proc/$host/mountinfo"
        ),
        "sudo cat /proc/$host/mountinfo",
    ]


CONTEXT = "context=$(mktemp -d)"
BUILD = "(cd $context && DOCKER_BUILDKIT=1 docker build --tag=lab-image .)"
BUILT_END = ["docker image rm --force lab-image", "rm -r $context"]


def test_a_build_is_typed_with_its_files() -> None:
    assert steps(build(Dockerfile="FROM busybox\nRUN echo 'a  b'\n", note="it's")) == [
        CONTEXT,
        """printf '%s\\n' 'FROM busybox' "RUN echo 'a  b'" > $context/Dockerfile""",
        """printf %s "it's" > $context/note""",
        BUILD,
        *BUILT_END,
    ]


def test_a_file_in_a_folder_and_a_program_are_made() -> None:
    assert steps(build(**{"a/b": "1", "hello": b"\x7fELF"})) == [
        CONTEXT,
        "mkdir -p $context/a",
        "printf %s 1 > $context/a/b",
        "echo f0VMRg== | base64 -d > $context/hello",
        "chmod +x $context/hello",
        BUILD,
        *BUILT_END,
    ]


def test_a_tar_is_typed_compressed_and_an_image_that_was_refused_is_not_removed() -> None:
    load = "tar -c layer1.tar | docker load"

    lines = steps(build(load, image=None, **{"layer1.tar": bytes(10240)}))

    assert lines[0] == CONTEXT
    assert re.fullmatch(
        r"echo [\w+/=]{1,80} \| base64 -d \| gunzip > \$context/layer1\.tar", lines[1]
    )
    assert lines[2:] == [f"(cd $context && {load})", "rm -r $context"]


def test_an_image_is_called_by_a_variable_where_it_was_called_by_its_id() -> None:
    lines = steps(
        build(Dockerfile="FROM busybox\n"),
        build(Dockerfile="FROM scratch\n", image=f"{IMAGE_ID[:-1]}1"),
        api(f"docker run --rm {IMAGE_ID}", "exit code 0"),
        api("docker run --rm lab-image", "exit code 0"),
    )

    assert lines == [
        CONTEXT,
        "printf '%s\\n' 'FROM busybox' > $context/Dockerfile",
        BUILD,
        "lab_image_id=$(docker image inspect --format '{{.Id}}' lab-image)",
        "printf '%s\\n' 'FROM scratch' > $context/Dockerfile",
        BUILD,
        "docker run --rm $lab_image_id; echo $?",
        "docker run --rm lab-image; echo $?",
        "docker image rm --force lab-image $lab_image_id",
        "rm -r $context",
    ]


def test_what_is_asked_of_an_image_is_typed() -> None:
    assert steps(
        build(Dockerfile="FROM busybox\n"),
        api("docker image inspect RootFS.Layers lab-image", "[]"),
        api("docker history lab-image", ""),
        api("docker save lab-image", ""),
    )[3:-2] == [
        "docker image inspect --format '{{json .RootFS.Layers}}' lab-image",
        "docker history --no-trunc lab-image",
        (
            "saved=$(mktemp -d); docker save lab-image | tar -x -C $saved; "
            "for layer in $(jq -r '.[0].Layers[]' $saved/manifest.json); "
            "do (cd $saved; sha256sum $layer; tar -tf $layer); done; rm -r $saved"
        ),
    ]


def test_an_image_that_is_made_of_a_container_goes_with_it() -> None:
    name = container()["name"]

    assert steps(
        container(),
        api(f"docker commit {name} lab-one", IMAGE_ID),
        api(f"docker export {name} | docker import - lab-two", IMAGE_ID),
    )[1:] == [
        "docker commit lab-container lab-one",
        "docker export lab-container | docker import - lab-two",
        END,
        "docker image rm --force lab-one lab-two",
    ]


def test_what_was_watched_is_said_and_how_to_watch_it() -> None:
    timeline = {"event": "timeline", "ms": 1, "known": [], "processes": [], "told": []}

    assert steps(container(), timeline)[-2:] == [
        (
            "# what was watched meanwhile, other terminals show: "
            "sudo forkstat -e fork,exec,exit, and docker events"
        ),
        "docker rm --force lab-container",
    ]


def test_with_two_hosts_it_is_said_on_which_each_line_is_typed() -> None:
    c1, c2 = container(role="C1 on host-1"), container(role="C2 on host-2", pid=NEIGHBOUR_PID)

    assert steps(
        api("host-1: docker swarm init --advertise-addr=192.0.2.1", "a manager"),
        api("host-2: docker swarm join --token=$token 192.0.2.1:2377", "a worker"),
        api("host-1: docker network create --driver=overlay red", "made"),
        c1,
        c2,
        command("ping", "-c", "1", "10.0.1.4", stdout="1 packets received"),
        capture(CARRIED),
        capture(CARRIED, where="eth0 of C2 on host-2"),
        command("docker", "service", "create", "--name=web", "busybox", where="host-1"),
        api(f"docker inspect NetworkSettings.Networks {c2['name']}", "10.0.1.4"),
        api("host-1: docker network inspect Id red", "q3ale7s2uiltmu7"),
        file("/proc/77/root/x/exec/netns/1-q3ale7s2ui", "br0", "bridge fdb show"),
    ) == [
        "# on host-1:",
        "docker swarm init --advertise-addr=192.0.2.1",
        "# on host-2:",
        "# token=$(docker swarm join-token --quiet worker), on host-1",
        "docker swarm join --token=$token 192.0.2.1:2377",
        "# on host-1:",
        "docker network create --driver=overlay red",
        RUN.replace("lab-container", "lab-c1_on_host_1"),
        "# on host-2:",
        RUN.replace("lab-container", "lab-c2_on_host_2"),
        "c2_on_host_2=$(docker inspect --format '{{.State.Pid}}' lab-c2_on_host_2)",
        "# on host-1:",
        "docker exec lab-c1_on_host_1 ping -c 1 10.0.1.4",
        (
            "# what was captured meanwhile at eth0 of host-1, another terminal shows: "
            "sudo tcpdump -nevi eth0"
        ),
        (
            "# what was captured meanwhile at eth0 of C2 on host-2, another terminal shows: "
            "sudo nsenter --target=$c2_on_host_2 --net tcpdump -nevi eth0"
        ),
        "docker service create --name=web busybox; echo $?",
        "# on host-2:",
        "docker inspect --format '{{.NetworkSettings.Networks}}' lab-c2_on_host_2",
        "# on host-1:",
        "docker network inspect --format '{{.Id}}' red",
        (
            "sudo nsenter --net=/run/docker/netns/1-$(docker network inspect --format '{{.Id}}' "
            "red | cut -c 1-10) bridge fdb show"
        ),
        "# on each host, what was made there:",
        "docker rm --force lab-c1_on_host_1 lab-c2_on_host_2",
        "docker service rm web",
        "docker swarm leave --force",
    ]


def test_two_hosts_that_are_namespaces_are_made_and_go() -> None:
    assert steps(
        api("ip netns add host-1", "made"),
        api("ip netns add host-2", "made"),
        api("ip link add eth0 netns host-1 type veth peer name eth0 netns host-2", "made"),
        command("ip", "link", "set", "vxlan0", "up", where="host-2"),
        capture(CARRIED),
    ) == [
        "sudo ip netns add host-1",
        "sudo ip netns add host-2",
        "sudo ip link add eth0 netns host-1 type veth peer name eth0 netns host-2",
        "sudo ip netns exec host-2 ip link set vxlan0 up; echo $?",
        (
            "# what was captured meanwhile at eth0 of host-1, another terminal shows: "
            "sudo ip netns exec host-1 tcpdump -nevi eth0"
        ),
        "sudo ip netns delete host-1",
        "sudo ip netns delete host-2",
    ]


def test_a_container_that_never_ran_has_its_name_and_is_removed() -> None:
    name = "isolation-labs-42-7"

    assert steps(
        api("docker create --network=none busybox no-such", f"not found: {name}"),
        api(f"docker start {name}", "it failed"),
        api(f"docker wait {name}", "127"),
        api(f"docker inspect State.ExitCode {name}", "127"),
        api(f"docker ps --all --filter name={name}", "Created"),
        api(f"docker events --filter container={name}", "create die"),
        {"event": "file", "path": "/proc/*/cgroup", "field": "e" * 64, "value": "(nobody)"},
    ) == [
        "docker create --name=lab-not_found --network=none busybox no-such",
        "docker start lab-not_found",
        "docker wait lab-not_found",
        "docker inspect --format '{{.State.ExitCode}}' lab-not_found",
        "docker ps --all --filter name=lab-not_found",
        "docker events --since 10m --until 0s --filter container=lab-not_found",
        (
            "grep --files-with-matches $(docker inspect --format '{{.Id}}' lab-not_found)"
            " /proc/[0-9]*/cgroup"
        ),
        "docker rm --force lab-not_found",
    ]


def test_dockerd_is_killed_and_started_as_the_service_that_it_is() -> None:
    lines = steps(container(), api("pkill -KILL dockerd"), api("systemctl start docker"))

    assert lines[-3:-1] == ["sudo pkill -KILL dockerd", "sudo systemctl start docker"]


def test_the_sockets_of_a_private_engine_are_where_an_engine_has_them() -> None:
    home = "/var/lib/isolation-labs/8bf23908.4026531836.13183.882183.1"
    curl = command("curl", "--unix-socket", f"{home}/docker.sock", where="host", stdout="OK")
    address = f"{home}/exec/containerd/containerd.sock"
    ctr = command("ctr", "--address", address, where="host", stdout="OK")

    assert steps(curl, ctr) == [
        "curl --unix-socket /var/run/docker.sock",
        "sudo ctr --address /run/containerd/containerd.sock",
    ]


def test_a_socket_in_a_folder_of_root_s_is_not_the_engine_s() -> None:
    """As that of a relay between the docker command and the engine, which has such a name too."""
    folder = "/var/lib/isolation-labs/isolation-labs.8bf23908.4026531836.42.7.0a1b2c3d"
    asked = command("docker", f"--host=unix:{folder}/docker.sock", "ps", where="host", stdout="-")

    assert "docker --host=unix:$folder/docker.sock ps" in steps(asked)


def test_what_the_docker_command_made_is_removed() -> None:
    network = command("docker", "network", "create", "shop", where="host", stdout="1")
    runs = [
        command("docker", "run", "--detach", "--name=web", "busybox", where="host", stdout="2"),
        command("docker", "run", "--rm", "--name=gone", "busybox", where="host", stdout="3"),
    ]

    assert steps(network, *runs)[3:] == ["docker rm --force web", "docker network rm shop"]


def test_a_bundle_is_made_and_run_and_what_the_runtime_noted_is_deleted() -> None:
    cgroup = "/isolation-labs.8bf23908.4026531836.42.1.box"
    runtime = ["runc", f"--root={FOLDER}/state"]

    assert steps(
        api(f"docker export busybox | tar -x -C {FOLDER}/rootfs", "unpacked"),
        api(f"""printf %s '{{"cgroupsPath": "{cgroup}"}}' > {FOLDER}/config.json""", "written"),
        command(*runtime, "run", f"--bundle={FOLDER}", "lab", where="host"),
    ) == [
        "folder=$(mktemp -d)  # what to do with it, the code says",
        "docker create --name=lab-files busybox",
        "mkdir $folder/rootfs; docker export lab-files | sudo tar -x -C $folder/rootfs",
        "docker rm lab-files",
        """printf %s '{"cgroupsPath": "/lab"}' > $folder/config.json""",
        "sudo runc --root=$folder/state run --bundle=$folder lab; echo $?",
        "sudo runc --root=$folder/state delete --force lab",
        "sudo rm -r $folder",
    ]


def test_a_virtual_machine_is_made_with_its_initramfs_and_turned_off() -> None:
    qemu = ["qemu-system-x86_64", "-initrd", f"{FOLDER}/initramfs"]

    assert steps(
        api(f"initramfs {FOLDER} '#!/bin/busybox sh\necho here\n'", "written"),
        process("host", *qemu, pid=4242),
        file("/proc/4242/status", "1 kB", "VmRSS"),
    ) == [
        "folder=$(mktemp -d)  # what to do with it, the code says",
        "mkdir -p $folder/guest/bin $folder/guest/dev; cp $(command -v busybox) $folder/guest/bin",
        """printf '%s\\n' '#!/bin/busybox sh' 'echo here' > $folder/guest/init""",
        "chmod +x $folder/guest/init; sudo mknod $folder/guest/dev/console c 5 1",
        "(cd $folder/guest; find . | cpio -o -H newc | gzip) > $folder/initramfs",
        "sudo --background qemu-system-x86_64 -initrd $folder/initramfs; sleep 20",
        "guest=$(pgrep --newest --full qemu-system)",
        "sudo grep VmRSS: /proc/$guest/status",
        "sudo kill $guest",
        "sudo rm -r $folder",
    ]


def test_what_ctr_made_is_deleted() -> None:
    busybox = "docker.io/library/busybox:latest"

    assert steps(
        api("docker save busybox | ctr images import -", "imported"),
        command("ctr", "run", "--detach", busybox, "lab", "sleep", "9", where="host"),
    ) == [
        "docker save busybox | sudo ctr images import -",
        f"sudo ctr run --detach {busybox} lab sleep 9; echo $?",
        "sudo ctr tasks delete --force lab",
        "sudo ctr containers delete lab",
        f"sudo ctr images delete {busybox}",
    ]


@pytest.mark.parametrize("text", [None, "x; rm -r /", "\udcff"])
def test_what_is_no_base64_is_never_typed(text: str | None) -> None:
    event = build(hello=b"")
    event["files"][-1]["base64"] = text

    lines = steps(event)

    assert not [line for line in lines if "rm -r /" in line and "$context" not in line]
    assert any(line.startswith("echo ") and " | base64 -d" in line for line in lines)


def test_the_line_of_a_build_is_words_and_no_program() -> None:
    event = build(Dockerfile="FROM busybox") | {"line": "docker build --tag=x . ; rm -r /"}

    assert "(cd $context && docker build --tag=x . ';' rm -r /)" in steps(event)


def bundle_of(tool: str, base: str) -> Event:
    name = identity("container")
    return container(
        f"{tool} run --detach {name} # config.json: {base} | '.process.args=[\"sleep\"]' | "
        f"""'.mounts+=[{{"source":"/bundle/{name}/shm"}}]'"""
    )


OF_AN_IMAGE = (
    "for an image's files in /image: mkdir /image; "
    "docker export $(docker create busybox) | sudo tar -x -C /image"
)
CHANGES = """'.process.args=["sleep"] | .mounts+=[{"source":"/bundle/lab-container/shm"}]'"""


def test_a_container_of_runc_is_made_of_a_bundle_and_goes_with_it() -> None:
    bundle, there = "/bundle/lab-container", command("true", stdout=".")
    layers = f"lowerdir=/image,upperdir={bundle}/upper,workdir={bundle}/work"

    assert steps(bundle_of("runc", "runc spec"), there, file(f"/proc/{PID}/uid_map")) == [
        f"sudo install --directory --owner=$(id -u) {bundle}",
        f"# {OF_AN_IMAGE}",
        f"mkdir {bundle}/rootfs {bundle}/upper {bundle}/work",
        f"sudo mount -t overlay -o {layers} overlay {bundle}/rootfs",
        f"runc spec --bundle={bundle}",
        f"mv {bundle}/config.json {bundle}/spec.json",
        f"jq {CHANGES} {bundle}/spec.json > {bundle}/config.json",
        f"mkdir {bundle}/shm; sudo mount -t tmpfs shm {bundle}/shm",
        "sudo runc run --detach lab-container",
        "container=$(sudo runc state lab-container | jq .pid)",
        "sudo runc exec lab-container true",
        "sudo cat /proc/$container/uid_map",
        "sudo runc delete --force lab-container",
        f"sudo umount {bundle}/rootfs",
        f"sudo umount {bundle}/shm",
        f"sudo rm -r {bundle}",
        "sudo rmdir /bundle",
    ]


def test_a_container_of_ctr_is_made_of_what_containerd_has() -> None:
    bundle, there = "/bundle/lab-container", command("true", stdout=".")
    base = "ctr containers create --seccomp busybox lab-default"

    assert steps(bundle_of("ctr", base), there) == [
        f"sudo install --directory --owner=$(id -u) {bundle}",
        "docker save busybox | sudo ctr images import -",
        f"mkdir {bundle}/rootfs",
        f"sudo ctr images mount --rw docker.io/library/busybox:latest {bundle}/rootfs",
        f"sudo {base}",
        f"sudo ctr containers info --spec lab-default | jq {CHANGES} > {bundle}/config.json",
        "sudo ctr containers delete lab-default",
        f"mkdir {bundle}/shm; sudo mount -t tmpfs shm {bundle}/shm",
        "sudo ctr run --detach lab-container",
        """container=$(sudo ctr tasks list | awk '$1 == "lab-container" {print $2}')""",
        "sudo ctr tasks exec --exec-id=lab-1 lab-container true",
        "sudo ctr tasks delete --force lab-container",
        "sudo ctr containers delete lab-container",
        f"sudo ctr images unmount --rm {bundle}/rootfs",
        f"sudo umount {bundle}/shm",
        f"sudo rm -r {bundle}",
        "sudo rmdir /bundle",
        "sudo ctr images delete docker.io/library/busybox:latest",
    ]


def test_a_line_that_tells_of_no_config_is_no_command() -> None:
    lines = [
        steps(container(line))[0]
        for line in ("runc run x # config.json:", "config.json: x | y", "ctr")
    ]

    assert [line for line in lines if "/bundle" in line] == []


def test_networks_go_by_plain_names_and_are_removed_after_their_containers() -> None:
    first, second = "isolation-labs-network-42-3", "isolation-labs-other-network-42-4"
    name = container()["name"]

    assert steps(
        api(f"docker network create --driver=bridge {first}", "5eed"),
        api(f"docker network create --driver=bridge --internal {second}", "5eed"),
        container(f"docker run --detach --network={first} busybox"),
        api(f"docker network connect {second} {name}", "done"),
    ) == [
        "docker network create --driver=bridge lab-network",
        "docker network create --driver=bridge --internal lab-other-network",
        "docker run --detach --name=lab-container --network=lab-network busybox",
        "docker network connect lab-other-network lab-container",
        END,
        "docker network rm lab-network",
        "docker network rm lab-other-network",
    ]


def test_an_address_is_asked_for_where_it_is_used() -> None:
    name = container()["name"]
    asked = api(
        f"docker inspect NetworkSettings.Networks.isolation-labs-network-42-3.IPAddress {name}",
        "172.18.0.2",
    )
    other = command("ping", "172.18.0.23")
    template = '{{(index .NetworkSettings.Networks "lab-network").IPAddress}}'

    assert middle(asked, other) == ["docker exec lab-container ping 172.18.0.23; echo $?"]
    assert middle(asked, command("wget", "http://172.18.0.2:5000/")) == [
        f"container_address=$(docker inspect --format '{template}' lab-container)",
        "docker exec lab-container wget http://$container_address:5000/; echo $?",
    ]


def test_a_tool_is_asked_in_the_network_namespace_in_which_it_was_asked() -> None:
    asked = file(f"/proc/{PID}/ns/net", "1: lo loopback", field="ip -details address")

    assert middle(asked, asked) == [
        "sudo nsenter --net=/proc/$container/ns/net ip -details address"
    ]


def test_a_cable_leads_to_the_namespace_that_a_process_keeps_and_goes_at_the_end() -> None:
    assert steps(
        process("host", "unshare", "--net", "sleep", "infinity", pid=77),
        command("ip", "link", "add", "lan0", "type", "veth", "peer", "netns", "77", where="host"),
        command("ip", "address", "add", "198.51.100.10/24", "dev", "lan0", where="host"),
        command(
            "nsenter", "--net=/proc/77/ns/net", "ip", "link", "set", "switch", "up", where="host"
        ),
    ) == [
        "sudo --background unshare --net sleep infinity",
        "process=$(sleep 1; pgrep --newest --full 'sleep infinity')",
        "sudo ip link add lan0 type veth peer netns $process; echo $?",
        "sudo ip address add 198.51.100.10/24 dev lan0; echo $?",
        "sudo nsenter --net=/proc/$process/ns/net ip link set switch up; echo $?",
        "sudo kill $process",
        "sudo ip link delete lan0",
    ]


@pytest.mark.parametrize(
    "argv", [[], [""], ["REGISTRY_HTTP_ADDR"], ["ctr", "run", "--rm"], ["ctr", "run", "a/b"]]
)
def test_what_has_too_few_words_is_repeated_as_it_is(argv: list[str]) -> None:
    events = [command(*argv, where="host"), process("host", *argv, pid=7)]

    assert shlex.join(argv) in "\n".join(by_hand.steps(trial("as-is", "held", *events)))
