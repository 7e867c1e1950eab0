"""Install Debian packages, note what that changes on this machine, and take it back.

    python3 tools/installed.py install PACKAGE…
    python3 tools/installed.py undo

Nothing that the packages bring is started or enabled: the labs start engines of their own. The note is
the file .prepared: a line each, its fields divided by tabs, the first of which says what it is of.
The standard library is enough, because this runs before the virtual environment is made.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

if __name__ == "__main__":  # python -I leaves the project out
    sys.path.insert(0, str(Path(__file__).parents[1]))

from tools import packages

PROJECT = Path(__file__).parents[1]
NOTE = PROJECT / ".prepared"
OF_A_PACKAGE = tuple(
    f"{kind}\t" for kind in ("package", "asked", "configured", "begun", "off", "user", "group")
)
"""the lines of the note whose last field is a package"""
ENVIRONMENTS = (".venv", ".venv-dev")
REPLACED = {"busybox"}
"""what may be removed from the machine: busybox-static takes its place"""

ROOT = Path("/")
POLICY = "usr/sbin/policy-rc.d"
SERVICES_BEFORE = "ISOLATION_LABS_SERVICES"
# Debian asks it before it starts a service: policy-rc.d [--quiet] SERVICE ACTION.
POLICY_TEXT = f"""\
#!/bin/sh
# Of Isolation Labs (tools/installed.py), while it installs packages: the services that they bring are
# not started. Without that variable nothing is denied; where this file was left it may be removed.
[ "${{{SERVICES_BEFORE}+set}}" ] || exit 0
[ "$1" != --quiet ] || shift
case " ${SERVICES_BEFORE} " in *" ${{1%.*}} "*) exit 0 ;; esac
exit 101
"""
UNITS = (".service", ".socket", ".timer", ".path")
UNIT_FOLDERS = ("usr/lib/systemd/system", "lib/systemd/system", "etc/systemd/system")


class Refused(Exception):
    """It is not done, or it failed; the message says why."""


def install(names: list[str]) -> None:
    """Install the packages; raises Refused with what apt-get said where that fails."""
    note = Note.read()
    # A call that was killed is gone on with: what was there before it, it has noted.
    if not (resumed := bool(note.of("before"))):
        note.add("before", *map("\t".join, _accounts()))
    with _nothing_is_started(note) as setting:
        if resumed:
            _mend(setting)
        new, upgraded, removed = _simulated("install", *names)
        if wrong := sorted(removed - REPLACED):
            raise Refused(
                f"installing {' '.join(names)} would remove {' '.join(wrong)}, "
                "which is not done for you.\n"
                f"Have a look, and call again: sudo apt-get install {' '.join(names)}"
            )
        # Noted before it is done: where this is killed, more is noted than there is, never less.
        note.add("package", *new)
        note.add("asked", *(new & set(names)))
        note.add("configured", *(new & _dpkg("config-files").keys()))
        note.add("begun", *new)
        note.add("upgraded", *(upgraded - set(note.of("package"))))
        note.add("replaced", *(f"{each}\t{_how_chosen(each)}" for each in removed))
        note.write()
        try:
            _as_root("env", setting, *APT, "install", *names)
        finally:
            begun = _note_what_came(note)
    note.forget("before", "begun")
    note.write()
    more = "1 more package is" if len(begun) == 1 else f"{len(begun)} more packages are"
    print(f"prepare: {more} on this machine, which {NOTE.name} lists")
    if off := sorted({each.split("\t")[0].partition(".")[0] for each in note.of("off")}):
        services = ", ".join(off)
        if _has_a_policy_of_its_own():
            print(f"prepare: the next boot starts none of their services: {services}")
            print(f"prepare: whether one was started now, this machine's own /{POLICY} has decided")
        else:
            print(f"prepare: started none of their services, nor will the next boot: {services}")
    print("prepare: to take all of it back: make unprepare")


def _note_what_came(note: Note) -> set[str]:
    """Turn off and note what the packages have brought whose installation has begun, which it returns."""
    # Where it failed, what did not come may come later from somebody else.
    missed = set(note.of("begun")) - _dpkg().keys()
    note.lines = [
        line
        for line in note.lines
        if not (line.startswith(OF_A_PACKAGE) and line.split("\t")[-1] in missed)
    ]
    begun = set(note.of("begun"))
    _turn_off(note, begun)
    before = {tuple(each.split("\t")) for each in note.of("before")}
    for kind, name in sorted(_accounts() - before):
        if maker := _maker(begun, name):
            note.add(kind, f"{name}\t{maker}")
    note.write()
    return begun


def undo() -> None:
    """Purge what is noted and nothing else, bring back what it replaced, remove the environments."""
    note = Note.read()
    if not note.lines:
        print(f"unprepare: nothing is noted in {NOTE.name}, so there is nothing to take back")
        return
    if (
        note.of("package")
        and subprocess.run([PROJECT / "tools/root.sh", "true"], check=False).returncode
    ):
        raise Refused(
            "taking packages back needs root, or sudo without a password\nTry: sudo make unprepare"
        )
    if note.of("before"):  # a call was killed
        with _nothing_is_started(note) as setting:
            _mend(setting)
            _note_what_came(note)
        note.forget("before", "begun")
    environments = {*ENVIRONMENTS} & {*note.of("environment")}
    if note.of("package"):
        _uninstall(note)
    for name in sorted(environments):
        place = PROJECT / name
        if place.exists():
            print(f"unprepare: removing {name}")
            shutil.rmtree(place, ignore_errors=True)
            if place.exists():  # some of it is root's
                _as_root("rm", "-rf", "--", str(place))
    note.forget("environment")
    if note.of("package"):
        note.write()
    else:
        NOTE.unlink()


def _uninstall(note: Note) -> None:
    known = _dpkg()
    there = {name for name in note.of("package") if name in known}
    wanted = set(_said("apt-mark", "showmanual").split()) - set(note.of("asked"))
    stay = dict.fromkeys(sorted(there & wanted), "somebody has asked for it since")
    stay |= {name: why for name in sorted(there) if (why := _use(name, note))}
    replaced = {
        name: how for name, _, how in (each.partition("\t") for each in note.of("replaced"))
    }
    while True:
        # What stays needs what it depends on, and so does what somebody has installed since.
        for name in sorted(_needed_by(stay, known) & there):
            stay.setdefault(name, "needed by what stays")
        go = sorted(there - set(stay))
        back = [name for name in replaced if name not in known and go]
        words = [*back, *(f"{name}-" for name in go)]
        _, _, removed = _simulated("install", *words) if words else (set(), set(), set())
        others = removed - set(go)
        if not others:
            break
        blocking = _needed_by(others, known) & set(go)
        if not blocking:
            raise Refused(
                f"apt-get would remove {' '.join(sorted(others))} too, so nothing is done"
            )
        for name in blocking:
            stay[name] = f"needed by {', '.join(sorted(others))}"
    for name, why in stay.items():
        print(f"unprepare: {name} stays: {why}")
    if go:
        told = f"unprepare: purging {' '.join(go)}"
        print(textwrap.fill(told, 100, subsequent_indent="    ", break_on_hyphens=False))
        if back:
            print(f"unprepare: bringing back {' '.join(back)}")
        _as_root(*APT, "install", *words)
        if automatic := [name for name in back if replaced[name] == "auto"]:
            _as_root("apt-mark", "auto", *automatic)
    # What was removed has left its configuration; what was removed before it came, had left that.
    left = set(note.of("package")) - set(stay) - set(note.of("configured"))
    if purged := sorted(left & _dpkg("config-files").keys()):
        _as_root("dpkg", "--purge", *purged)
    if _policy_is_ours():
        _as_root("rm", "-f", str(ROOT / POLICY))
    _remove_accounts(note, stay)
    for name in note.of("upgraded"):
        print(f"unprepare: {name} was upgraded on the way, and stays so")
    note.lines = [
        line
        for line in note.lines
        if stay and (not line.startswith(OF_A_PACKAGE) or line.split("\t")[-1] in stay)
    ]


class Note:
    """The note of this checkout."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    @classmethod
    def read(cls) -> Note:
        with contextlib.suppress(FileNotFoundError):
            return cls(NOTE.read_text(encoding="utf-8").splitlines())
        return cls([])

    def of(self, kind: str) -> list[str]:
        """What is noted of that kind, without its first field."""
        return [line.partition("\t")[2] for line in self.lines if line.startswith(f"{kind}\t")]

    def add(self, kind: str, *what: str) -> None:
        self.lines += [
            line for line in (f"{kind}\t{each}" for each in sorted(what)) if line not in self.lines
        ]

    def forget(self, *kinds: str) -> None:
        self.lines = [line for line in self.lines if line.partition("\t")[0] not in kinds]

    def write(self) -> None:
        new = NOTE.with_name(f"{NOTE.name}.new")
        new.write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")
        new.replace(NOTE)


APT = (
    # Ubuntu's needrestart would restart services of others; and nobody is there to be asked.
    "env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1", "apt-get", "-qq", "--yes",
    "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120",
    "-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold",
)  # fmt: skip


def _mend(setting: str) -> None:
    """Have dpkg, or else apt-get, end what a call that was killed has begun."""
    try:
        _as_root("env", setting, "DEBIAN_FRONTEND=noninteractive", "dpkg", "--configure", "-a")
    except Refused:
        _as_root("env", setting, *APT, "install", "--fix-broken")


def _simulated(*words: str) -> tuple[set[str], set[str], set[str]]:
    """What apt-get would install that is not there, upgrade, and remove."""
    new, upgraded, removed = set(), set(), set()
    for line in _said(*APT, "--simulate", *words).splitlines():
        what, _, rest = line.partition(" ")
        name, _, how = rest.partition(" ")
        if what == "Inst":
            (upgraded if how.startswith("[") else new).add(name.partition(":")[0])
        elif what in ("Remv", "Purg"):
            removed.add(name.partition(":")[0])
    return new, upgraded, removed


def _dpkg(*statuses: str) -> dict[str, tuple[set[str], set[str]]]:
    """The packages that are there: what each depends on, and which names it has besides.

    Those are there of which dpkg has files, or those that have one of `statuses`.
    """
    form = "${Package}\t${db:Status-Status}\t${Pre-Depends}, ${Depends}\t${Provides}\n"
    found = {}
    for line in _said("dpkg-query", "--show", f"--showformat={form}").splitlines():
        name, status, depends, provides = line.split("\t")
        if status in statuses or (not statuses and status not in ("not-installed", "config-files")):
            found[name] = _names(depends), _names(provides)
    return found


def _names(relation: str) -> set[str]:
    """The names in a field such as Depends; of alternatives all, for any may be the one that counts."""
    return {
        match[0]
        for each in re.split("[,|]", relation)
        if (match := re.match(r"[a-z0-9][a-z0-9+.-]*", each.strip()))
    }


def _needed_by(names: Iterable[str], known: dict[str, tuple[set[str], set[str]]]) -> set[str]:
    """All that they depend on, and what that depends on in turn."""
    providers: dict[str, set[str]] = {}
    for name, (_, provides) in known.items():
        for each in {name, *provides}:
            providers.setdefault(each, set()).add(name)
    found: set[str] = set()
    ahead = list(names)
    while ahead:
        for each in known.get(ahead.pop(), (set(), set()))[0]:
            for name in providers.get(each, set()) - found:
                found.add(name)
                ahead.append(name)
    return found


def _use(name: str, note: Note) -> str:
    """Why a package that was installed for the labs has to stay, in somebody's use; "" where not."""
    if name == "docker.io":
        if (ROOT / "var/lib/isolation-labs").exists():
            return "a run of the labs goes on, or was killed: the next one tidies up"
        if _has_data(ROOT / "var/lib/docker"):
            return "purging it would remove /var/lib/docker, which an engine of somebody's has made"
        if packages.answers(packages.SOCKET):
            return f"an engine answers at {packages.SOCKET}"
    for unit in [unit for unit, _, its in map(_fields, note.of("off")) if its == name]:
        if _is_on(unit):
            return f"somebody has turned on {unit}"
    return ""


def _has_data(folder: Path) -> bool:
    """Whether an engine keeps its data there: more than a swarm's networks, whose files are there always."""
    try:
        return any(each.name != "network" for each in folder.iterdir())
    except FileNotFoundError:
        return False
    except PermissionError:  # as a daemon makes it
        return True


def _fields(line: str) -> tuple[str, str, str]:
    return line.partition("\t")


def _is_on(unit: str) -> bool:
    if any(_links(unit)):
        return True
    if not (ROOT / "run/systemd/system").is_dir():
        return False
    return subprocess.run(["systemctl", "--quiet", "is-active", unit], check=False).returncode == 0


def _links(unit: str) -> Iterator[Path]:
    """What starts a service at boot: links of systemd to a unit, or of a runlevel to a script."""
    name, dot, _ = unit.partition(".")
    if dot:
        folder = ROOT / "etc/systemd/system"
        for link in [*folder.glob("*"), *folder.glob("*.wants/*"), *folder.glob("*.requires/*")]:
            if link.is_symlink() and Path(os.readlink(link)).name == unit:
                yield link
    else:
        yield from (ROOT / "etc").glob(f"rc[2-5S].d/S[0-9][0-9]{name}")


def _turn_off(note: Note, names: set[str]) -> None:
    """The services of packages that are newly installed are not started at boot, nor noticed."""
    on = [
        (file, name)
        for name in sorted(names)
        for file in _service_files(name)
        if any(_links(file.name))
    ]
    for file, name in on:
        note.add("off", f"{file.name}\t{name}")
        if file.parent.name == "init.d":
            _as_root("update-rc.d", file.name, "disable")
        else:
            _as_root("rm", "-f", *map(str, _links(file.name)))
    if (ROOT / "run/systemd/system").is_dir():
        _as_root("systemctl", "daemon-reload")


def _service_files(name: str) -> list[Path]:
    """The units and scripts by which a package's services are started."""
    return [
        file
        for file in _files(name)
        if str(file.parent) == "/etc/init.d"
        or (file.suffix in UNITS and str(file.parent)[1:] in UNIT_FOLDERS)
    ]


def _maker(names: set[str], account: str) -> str | None:
    """Which of these packages speaks of the account where packages make accounts."""
    word = re.compile(rf"(?<![\w-]){re.escape(account)}(?![\w-])")
    for name in sorted(names):
        texts = [*_kept_of(name, "preinst"), *_kept_of(name, "postinst")]
        texts += [
            (ROOT / str(file)[1:]).read_text(encoding="utf-8")
            for file in _files(name)
            if file.parent.name == "sysusers.d"
        ]
        if any(map(word.search, texts)):
            return name
    return None


def _files(name: str) -> list[Path]:
    return [Path(line) for text in _kept_of(name, "list") for line in text.splitlines()]


def _kept_of(name: str, what: str) -> list[str]:
    """What dpkg keeps of a package under that name, also where it has not been configured yet."""
    folder = ROOT / "var/lib/dpkg/info"
    files = [*folder.glob(f"{name}.{what}"), *folder.glob(f"{name}:*.{what}")]
    return [file.read_text(encoding="utf-8", errors="replace") for file in files]


def _services() -> set[str]:
    """The services of this machine, by their names without a suffix."""
    units = {
        file.stem
        for folder in UNIT_FOLDERS
        for file in (ROOT / folder).glob("*.*")
        if file.suffix in UNITS
    }
    return units | {file.name for file in (ROOT / "etc/init.d").glob("*")}


@contextlib.contextmanager
def _nothing_is_started(note: Note) -> Iterator[str]:
    """Keep services that were not there before from starting; a policy that is there decides itself.

    Yields the environment variable by which the policy knows apt-get's call from somebody else's.
    """
    # Of a package that was removed and not purged the script in /etc/init.d stands there still.
    absent = {*note.of("begun"), *_dpkg("config-files")}
    theirs = {file.stem for name in absent for file in _service_files(name)}
    setting = f"{SERVICES_BEFORE}={' '.join(sorted(_services() - theirs))}"
    policy = ROOT / POLICY
    if _has_a_policy_of_its_own():
        yield setting
        return
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as text:
        text.write(POLICY_TEXT)
        text.flush()
        _as_root("install", "--mode=755", text.name, str(policy))
    try:
        yield setting
    finally:
        _as_root("rm", "-f", str(policy))


def _has_a_policy_of_its_own() -> bool:
    return os.path.lexists(ROOT / POLICY) and not _policy_is_ours()


def _policy_is_ours() -> bool:
    """Where a call was killed its policy is left."""
    try:
        return (ROOT / POLICY).read_text(encoding="utf-8") == POLICY_TEXT
    except (OSError, ValueError):
        return False


def _accounts() -> set[tuple[str, str]]:
    """The groups and users of this machine."""
    return {
        (kind, line.partition(":")[0])
        for kind, file in (("group", "etc/group"), ("user", "etc/passwd"))
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines()
    }


def _remove_accounts(note: Note, stay: Iterable[str]) -> None:
    """Remove the users and groups that the packages have made and left; not of those that stay."""
    for kind in ("user", "group"):
        for name, maker in (each.split("\t") for each in note.of(kind)):
            if maker in stay or (kind, name) not in _accounts():
                continue
            if kind == "group" and (members := _members(name)):
                print(f"unprepare: the group {name} stays: {members} is in it")
                continue
            print(f"unprepare: removing the {kind} {name}")
            _as_root(f"{kind}del", name)


def _members(group: str) -> str:
    """Who is in the group besides those whose own it is."""
    for line in (ROOT / "etc/group").read_text(encoding="utf-8").splitlines():
        name, *_, members = line.split(":")
        if name == group:
            return members
    return ""


def _how_chosen(name: str) -> str:
    """Whether the package is there because somebody wanted it, or because another needed it."""
    return "auto" if name in _said("apt-mark", "showauto", name).split() else "manual"


def _said(*command: str) -> str:
    """What a command says that changes nothing."""
    settings = os.environ | {"LC_ALL": "C", "PATH": packages.PATH}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=settings)
    if done.returncode:
        raise Refused(_failure(command, done.stdout + done.stderr))
    return done.stdout


def _as_root(*command: str) -> None:
    """Do what changes the machine: silently, or with one message that has the end of what it said."""
    settings = os.environ | {"PATH": packages.PATH}
    done = subprocess.run(
        [str(PROJECT / "tools/root.sh"), *command], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        check=False, env=settings,
    )  # fmt: skip
    if done.returncode:
        raise Refused(_failure(command, done.stdout))


def _failure(command: Iterable[str], said: str) -> str:
    words = [word for word in command if not word.startswith(SERVICES_BEFORE) and word != "env"]
    last = "\n".join(f"| {line}" for line in said.splitlines()[-20:])
    return (
        f"this command failed: {shlex.join(words)}\nIt said at its end:\n{last}\n"
        "Mend that and call again; what was done is not done twice."
    )


def main(words: list[str]) -> int:
    """Do it; 1 with a message where it fails."""
    who = "unprepare" if words == ["undo"] else "prepare"
    try:
        if words == ["undo"]:
            undo()
        else:
            install(words[1:])
    except Refused as error:
        print(f"{who}: " + str(error).replace("\n", "\n    "), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
