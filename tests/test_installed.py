"""What `make` installs it notes, starts nothing of it, and `make unprepare` takes back no more."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools import installed, packages


@dataclass
class Package:
    depends: str = ""
    provides: str = ""
    conflicts: str = ""
    services: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


ARCHIVE = {
    "base": Package(),
    "busybox": Package("base"),
    "busybox-static": Package("base", conflicts="busybox"),
    "containerd": Package("base, runc (>= 1.0)", services=("containerd.service",)),
    "docker.io": Package(
        "containerd, iptables | nftables",
        services=("docker.service", "docker"),
        accounts=("docker",),
    ),
    "iptables": Package("base"),
    "libold": Package("base"),
    "mine": Package("runtime"),
    "openssl": Package("libold (>= 2)"),
    "runc": Package("base", provides="runtime (= 1)"),
    "theirs": Package("base", conflicts="openssl"),
    "ssh": Package("base", services=("ssh.service", "ssh")),
}


class Machine:
    """A made-up Debian: what is installed on it, its files, and which services have been started."""

    def __init__(self, root: Path, *names: str) -> None:
        self.root = root
        self.packages = {"base", *names}
        self.automatic: set[str] = set()
        self.configured = {"gone"}
        """what was removed, and has left its configuration"""
        self.started: list[str] = []
        self.old = {"libold"}
        """of these a newer version is needed than is installed"""
        self.fails = False
        self.killed = False
        """after the packages' files are there and before they are configured"""
        self.unconfigured: list[str] = []
        for folder in ("etc/systemd/system/multi-user.target.wants", "etc/init.d", "etc/rc2.d",
                       "usr/lib/systemd/system", "usr/sbin"):  # fmt: skip
            (root / folder).mkdir(parents=True)
        (root / "var/lib/dpkg/info").mkdir(parents=True)
        (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
        (root / "etc/group").write_text("root:x:0:\n")
        for name in names:
            self._bring(name)

    @property
    def files(self) -> dict[str, str]:
        """All that is there, links and contents."""
        return {
            str(each.relative_to(self.root)): (
                str(each.readlink()) if each.is_symlink() else each.read_text()
            )
            for each in self.root.rglob("*")
            if each.is_file() or each.is_symlink()
        }

    def said(self, *command: str) -> str:
        words = [*command]
        if "--simulate" in words:
            new, old, gone = self._plan(words[words.index("--simulate") + 2 :])
            return (
                "".join(f"Inst {name} (1 Debian)\n" for name in new)
                + "".join(f"Inst {name} [1] (2 Debian)\n" for name in old)
                + "".join(f"Remv {name} [1]\n" for name in gone)
            )
        if words[:2] == ["dpkg-query", "--show"]:
            return "".join(f"{name}\tconfig-files\t, \t\n" for name in self.configured) + "".join(
                f"{name}\tinstalled\t, {ARCHIVE[name].depends}\t{ARCHIVE[name].provides}\n"
                for name in sorted(self.packages)
            )
        if words[:2] == ["apt-mark", "showmanual"]:
            return "".join(f"{name}\n" for name in self.packages - self.automatic)
        assert words[:2] == ["apt-mark", "showauto"]
        return "".join(f"{name}\n" for name in words[2:] if name in self.automatic)

    def as_root(self, *command: str) -> None:
        setting = next((word for word in command if word.startswith("ISOLATION_LABS")), None)
        if "apt-get" in command:
            new, old, gone = self._plan([*command[command.index("install") + 1 :]])
            self.packages |= set(new)
            self.configured -= set(new)
            self.automatic |= set(new) - set(command)
            self.old -= set(old)
            for name in new:
                self._bring(name)
                self.unconfigured.append(name)
            if not self.killed:
                self._configure(setting)
            for name in gone:
                self._take(name)
            if self.fails:
                raise installed.Refused("it failed")
            return
        if command[-2:] == ("--configure", "-a"):
            self._configure(setting)
            return
        match [*command]:
            case ["install", "--mode=755", source, target]:
                shutil.copy(source, target)
                Path(target).chmod(0o755)
            case ["rm", *_, "--", folder]:
                shutil.rmtree(folder)
            case ["rm", "-f", *files]:
                for file in files:
                    Path(file).unlink(missing_ok=True)
            case ["update-rc.d", name, "disable"]:
                (self.root / f"etc/rc2.d/S01{name}").rename(self.root / f"etc/rc2.d/K01{name}")
            case ["dpkg", "--purge", *names]:
                self.configured -= set(names)
            case ["apt-mark", "auto", *names]:
                self.automatic |= set(names)
            case ["userdel", name]:
                self._forget("passwd", name)
                self._forget("group", name)
            case ["groupdel", name]:
                self._forget("group", name)
            case _:
                raise AssertionError(command)

    def end(self) -> None:
        """The process that installs is killed: nothing that is left to do is done."""
        raise SystemExit

    def _configure(self, setting: str | None) -> None:
        for name in self.unconfigured:
            for service in ARCHIVE[name].services:
                self._start(service, setting)
        self.unconfigured.clear()

    def _plan(self, words: list[str]) -> tuple[list[str], list[str], list[str]]:
        gone = {word[:-1] for word in words if word.endswith("-")}
        new: set[str] = set()
        ahead = [word for word in words if not word.endswith("-")]
        while ahead:
            name = ahead.pop()
            if name not in self.packages | new:
                new.add(name)
                ahead += sorted(installed._names(ARCHIVE[name].depends) - {"nftables", "runtime"})
        for name in new:
            gone |= {ARCHIVE[name].conflicts} & self.packages
        while True:
            left = self.packages - gone
            names = left | {
                each for name in left for each in installed._names(ARCHIVE[name].provides)
            }
            broken = {
                name
                for name in left
                if not (installed._names(ARCHIVE[name].depends) - {"nftables"}) <= names | new
            }
            if not broken:
                break
            gone |= broken
        old = (
            self.old
            & self.packages
            & {d for n in new for d in installed._names(ARCHIVE[n].depends)}
        )
        return sorted(new), sorted(old), sorted(gone & self.packages)

    def _files(self, name: str) -> list[str]:
        return [
            f"usr/lib/systemd/system/{each}" if "." in each else f"etc/init.d/{each}"
            for each in ARCHIVE[name].services
        ]

    def _bring(self, name: str) -> None:
        for file in self._files(name):
            (self.root / file).write_text("")
            each = Path(file).name
            wants = self.root / "etc/systemd/system/multi-user.target.wants" / each
            link = wants if "." in each else self.root / f"etc/rc2.d/S01{each}"
            link.symlink_to(f"/{file}")
        info = self.root / "var/lib/dpkg/info"
        (info / f"{name}.list").write_text("".join(f"/{file}\n" for file in self._files(name)))
        for group in ARCHIVE[name].accounts:
            (info / f"{name}.postinst").write_text(f"addgroup --system {group}\n")
            with (self.root / "etc/group").open("a") as text:
                text.write(f"{group}:x:102:\n")

    def _take(self, name: str) -> None:
        self.packages.discard(name)
        self.automatic.discard(name)
        self.configured.add(name)
        for each in (self.root / "var/lib/dpkg/info").glob(f"{name}.*"):
            each.unlink()
        for file in self._files(name):
            (self.root / file).unlink()
            each = Path(file).name
            for link in (f"systemd/system/multi-user.target.wants/{each}", f"rc2.d/K01{each}",
                         f"rc2.d/S01{each}"):  # fmt: skip
                (self.root / "etc" / link).unlink(missing_ok=True)

    def _start(self, service: str, setting: str | None) -> None:
        policy = self.root / "usr/sbin/policy-rc.d"
        name, _, value = (setting or "").partition("=")
        environment = {"PATH": "/usr/bin:/bin"} | ({name: value} if name else {})
        if (
            not policy.exists()
            or not subprocess.run(
                [policy, service, "start"], env=environment, check=False
            ).returncode
        ):
            self.started.append(service)

    def _forget(self, file: str, name: str) -> None:
        path = self.root / "etc" / file
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith(f"{name}:")))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with a service of its own, and a checkout in which nothing is noted yet."""
    made = Machine(tmp_path / "root", "ssh", "libold", "busybox")
    made.automatic.add("busybox")
    (tmp_path / "checkout/tools").mkdir(parents=True)
    (tmp_path / "checkout/tools/root.sh").symlink_to("/bin/true")
    monkeypatch.setattr(installed, "ROOT", made.root)
    monkeypatch.setattr(installed, "PROJECT", tmp_path / "checkout")
    monkeypatch.setattr(installed, "NOTE", tmp_path / "checkout/.prepared")
    monkeypatch.setattr(installed, "_said", made.said)
    monkeypatch.setattr(installed, "_as_root", made.as_root)
    monkeypatch.setattr(packages, "answers", lambda path: False)
    return made


def note() -> list[str]:
    return installed.NOTE.read_text().splitlines()


def test_what_is_installed_is_noted_with_what_it_brings(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.install(["docker.io", "openssl", "busybox-static"])

    assert note() == [
        *(f"package\t{name}" for name in sorted(
            ["busybox-static", "containerd", "docker.io", "iptables", "openssl", "runc"])),
        *(f"asked\t{name}" for name in ["busybox-static", "docker.io", "openssl"]),
        "upgraded\tlibold",
        "replaced\tbusybox\tauto",
        "off\tcontainerd.service\tcontainerd",
        "off\tdocker.service\tdocker.io",
        "off\tdocker\tdocker.io",
        "group\tdocker\tdocker.io",
    ]  # fmt: skip
    assert capsys.readouterr().out == (
        "prepare: 6 more packages are on this machine, which .prepared lists\n"
        "prepare: started none of their services, nor will the next boot: containerd, docker\n"
        "prepare: to take all of it back: make unprepare\n"
    )


def test_no_service_of_it_is_started_now_or_at_the_next_boot(machine: Machine) -> None:
    installed.install(["docker.io"])

    assert machine.started == []
    assert {each for each in machine.files if "wants/" in each or "/S01" in each} == {
        "etc/systemd/system/multi-user.target.wants/ssh.service",
        "etc/rc2.d/S01ssh",
    }
    assert not (machine.root / "usr/sbin/policy-rc.d").exists()


def test_a_service_that_was_there_may_be_started(machine: Machine) -> None:
    with installed._nothing_is_started(installed.Note([])) as setting:
        for each in ("ssh", "ssh.service", "docker", "docker.service"):
            machine._start(each, setting)

    assert machine.started == ["ssh", "ssh.service"]


def test_a_policy_that_a_killed_call_has_left_denies_nothing_and_goes(machine: Machine) -> None:
    policy = machine.root / "usr/sbin/policy-rc.d"
    policy.write_text(installed.POLICY_TEXT)
    policy.chmod(0o755)

    machine._start("docker", None)
    installed.install(["runc"])

    assert machine.started == ["docker"]
    assert not policy.exists()


def test_what_was_removed_and_not_purged_starts_nothing_when_it_comes_back(
    machine: Machine,
) -> None:
    """Its script in /etc/init.d is configuration, and has stayed."""
    machine.configured.add("docker.io")
    (machine.root / "etc/init.d/docker").touch()
    (machine.root / "var/lib/dpkg/info/docker.io.list").write_text("/etc/init.d/docker\n")

    installed.install(["docker.io"])

    assert machine.started == []


def test_a_policy_of_somebody_s_stays_as_it_is(machine: Machine) -> None:
    policy = machine.root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)

    installed.install(["docker.io"])

    assert policy.read_text() == "#!/bin/sh\nexit 101\n"


def test_what_would_remove_a_package_is_refused(machine: Machine) -> None:
    machine.packages.add("openssl")

    with pytest.raises(installed.Refused) as refused:
        installed.install(["theirs"])

    assert str(refused.value) == (
        "installing theirs would remove openssl, which is not done for you.\n"
        "Have a look, and call again: sudo apt-get install theirs"
    )
    assert "openssl" in machine.packages


def test_where_it_fails_midway_what_is_there_is_noted_and_off(machine: Machine) -> None:
    machine.fails = True

    with pytest.raises(installed.Refused, match="it failed"):
        installed.install(["docker.io"])

    assert "package\tdocker.io" in note()
    assert "off\tdocker.service\tdocker.io" in note()
    assert "group\tdocker\tdocker.io" in note()


def test_what_did_not_come_is_not_noted(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_network(*command: str) -> None:
        if "apt-get" in command:
            raise installed.Refused("no network")
        machine.as_root(*command)

    monkeypatch.setattr(installed, "_as_root", without_network)
    with pytest.raises(installed.Refused, match="no network"):
        installed.install(["docker.io"])

    machine.packages |= {"docker.io", "runc", "containerd", "iptables"}  # somebody installs it
    assert not any("docker.io" in line for line in note())
    installed.undo()
    assert "docker.io" in machine.packages


def kill_midway(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install docker.io, and die before its packages are configured."""
    machine.killed = True
    with monkeypatch.context() as dead:
        dead.setattr(installed, "_turn_off", lambda *_: machine.end())
        with pytest.raises(SystemExit):
            installed.install(["docker.io"])


def test_where_it_was_killed_midway_the_next_call_starts_nothing_either(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = set(machine.packages)
    kill_midway(machine, monkeypatch)
    machine.killed = False
    assert "docker.io" in machine.packages

    installed.install(["docker.io"])

    assert machine.started == []
    assert "off\tdocker.service\tdocker.io" in note()
    assert "group\tdocker\tdocker.io" in note()
    assert not any(line.startswith(("before", "begun")) for line in note())
    installed.undo()
    assert machine.packages == names
    assert "docker" not in machine.files["etc/group"]


def test_what_was_prepared_is_taken_back_and_nothing_else(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.old.clear()
    files, names = machine.files, set(machine.packages)
    (installed.PROJECT / ".venv").mkdir()
    installed.NOTE.write_text("environment\t.venv\n")
    installed.install(["docker.io", "busybox-static"])
    installed.install(["openssl"])
    capsys.readouterr()

    installed.undo()

    assert machine.packages == names
    assert machine.files == files
    assert machine.automatic == {"busybox"}
    assert machine.configured == {"gone"}
    assert [each.name for each in installed.PROJECT.iterdir()] == ["tools"]
    assert capsys.readouterr().out == (
        "unprepare: purging busybox-static containerd docker.io iptables openssl runc\n"
        "unprepare: bringing back busybox\n"
        "unprepare: removing the group docker\n"
        "unprepare: removing .venv\n"
    )


def test_an_account_that_somebody_has_made_meanwhile_is_not_taken_for_a_package_s(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_an_account(*command: str) -> None:
        machine.as_root(*command)
        if "apt-get" in command:
            with (machine.root / "etc/group").open("a") as text:
                text.write("dock:x:1001:\nalice:x:1000:\n")

    monkeypatch.setattr(installed, "_as_root", with_an_account)

    installed.install(["docker.io"])

    assert [line for line in note() if line.startswith(("group", "user"))] == [
        "group\tdocker\tdocker.io"
    ]


def test_without_root_nothing_is_taken_back_and_that_is_said(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.install(["runc"])
    program = installed.PROJECT / "tools/root.sh"
    program.unlink()
    program.symlink_to("/bin/false")
    before = note()

    assert installed.main(["undo"]) == 1
    assert capsys.readouterr().err == (
        "unprepare: taking packages back needs root, or sudo without a password\n"
        "    Try: sudo make unprepare\n"
    )
    assert note() == before


def test_a_second_time_it_says_that_nothing_is_noted(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.undo()

    assert capsys.readouterr().out == (
        "unprepare: nothing is noted in .prepared, so there is nothing to take back\n"
    )


def test_what_somebody_else_s_package_needs_stays(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.install(["runc", "openssl"])
    machine.packages.add("mine")
    capsys.readouterr()

    installed.undo()

    assert {"mine", "runc"} <= machine.packages
    assert "openssl" not in machine.packages
    assert capsys.readouterr().out.splitlines() == [
        "unprepare: runc stays: needed by mine",
        "unprepare: purging openssl",
        "unprepare: libold was upgraded on the way, and stays so",
    ]
    machine.packages.remove("mine")
    installed.undo()
    assert "runc" not in machine.packages
    assert not installed.NOTE.exists()


@pytest.mark.parametrize(
    ("use", "why"),
    [
        ("data", "purging it would remove /var/lib/docker, which an engine of somebody's has made"),
        ("socket", "an engine answers at /var/run/docker.sock"),
        ("enabled", "somebody has turned on docker.service"),
    ],
)
def test_an_engine_in_use_stays_with_what_it_needs(
    use: str,
    why: str,
    machine: Machine,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed.install(["docker.io", "openssl"])
    if use == "data":
        (machine.root / "var/lib/docker/volumes").mkdir(parents=True)
    elif use == "socket":
        monkeypatch.setattr(packages, "answers", lambda path: path == packages.SOCKET)
    else:
        wants = machine.root / "etc/systemd/system/multi-user.target.wants"
        (wants / "docker.service").symlink_to("/usr/lib/systemd/system/docker.service")
    capsys.readouterr()

    installed.undo()

    assert {"docker.io", "containerd", "runc", "iptables"} <= machine.packages
    assert "openssl" not in machine.packages
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"unprepare: docker.io stays: {why}"
    assert "unprepare: containerd stays: needed by what stays" in said
    assert "docker:x:102:\n" in machine.files["etc/group"]
    assert "package\tdocker.io" in note()


def test_what_somebody_has_asked_for_since_stays_with_what_it_needs(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.install(["docker.io"])
    machine.automatic.discard("containerd")
    capsys.readouterr()

    installed.undo()

    assert machine.packages & {"docker.io", "iptables", "containerd", "runc"} == {
        "containerd",
        "runc",
    }
    assert capsys.readouterr().out.splitlines()[:2] == [
        "unprepare: containerd stays: somebody has asked for it since",
        "unprepare: runc stays: needed by what stays",
    ]


def test_a_configuration_that_was_left_before_is_left_again(machine: Machine) -> None:
    machine.configured.add("openssl")
    installed.install(["openssl", "runc"])

    installed.undo()

    assert machine.configured == {"gone", "openssl"}


def test_what_a_killed_call_has_begun_can_be_taken_back_at_once(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = set(machine.packages)
    kill_midway(machine, monkeypatch)

    installed.undo()

    assert machine.started == []
    assert machine.packages == names
    assert "docker" not in machine.files["etc/group"]
    assert not installed.NOTE.exists()


def test_the_files_of_a_swarm_s_networks_are_nobody_s_engine(machine: Machine) -> None:
    installed.install(["docker.io"])
    (machine.root / "var/lib/docker/network/files").mkdir(parents=True)

    installed.undo()

    assert "docker.io" not in machine.packages


def test_a_group_that_somebody_has_joined_stays(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.install(["docker.io"])
    group = machine.root / "etc/group"
    group.write_text(group.read_text().replace("docker:x:102:", "docker:x:102:alice"))

    installed.undo()

    assert "docker:x:102:alice\n" in group.read_text()
    assert "unprepare: the group docker stays: alice is in it" in capsys.readouterr().out


def test_a_command_that_fails_is_told_with_what_it_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho E: no such package\nexit 100\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setattr(installed, "NOTE", tmp_path / ".prepared")
    monkeypatch.setattr(packages, "PATH", f"{tmp_path}:{packages.PATH}")

    assert installed.main(["install", "nonesuch"]) == 1
    assert capsys.readouterr().err == (
        "prepare: this command failed: DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 "
        "apt-get -qq --yes --no-install-recommends -o DPkg::Lock::Timeout=120 "
        "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "
        "--simulate install nonesuch\n"
        "    It said at its end:\n"
        "    | E: no such package\n"
        "    Mend that and call again; what was done is not done twice.\n"
    )
