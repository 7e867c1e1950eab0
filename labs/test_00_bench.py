"""Chapter 0: the bench. Which kernel, which engine, and that what they say of each other agrees."""

from fixtures.kernel import Hierarchies
from fixtures.lab import answers, contrast


@answers("brief-4", "deep-1", "deep-30")
@contrast("the kernel can not be taken away from a container; its host name can, and differs")
def test_a_container_runs_on_the_kernel_of_the_host(container, host):
    """A container has no kernel of its own: it runs on the host's, since the host's boot.

    Kernel: /proc/sys/kernel/random/boot_id is made once at each boot of a kernel and is in no
        namespace. A virtual machine boots a kernel of its own and so has another.
    Without: nothing takes the kernel away. The host name, which uname gives as well, does differ:
        so the two readings are of different places.
    Source: random(4), uname(2)
    """
    boot_id = "/proc/sys/kernel/random/boot_id"
    inside = (container.read(boot_id), container.exec("uname", "-r").output)
    outside = (host.exec("cat", boot_id).output, host.exec("uname", "-r").output)

    assert inside == outside
    assert container.exec("uname", "-n").output != host.exec("uname", "-n").output


@contrast(
    "it compares what the engine says with what the kernel says; there is nothing to take away"
)
def test_the_engine_says_of_the_machine_what_the_kernel_says(container, engine, host):
    """What `docker info` says of kernel, cgroups and storage is what the kernel says too.

    Kernel: uname(2) names the release, the mount table the cgroup version and the file system of
        a container's root, and /proc/<pid>/cgroup shows by which driver it was put where it is.
    Without: nothing is taken away; two independent sources are compared.
    Source: uname(2), proc_pid_mountinfo(5), cgroups(7)
    """
    release = host.exec("uname", "-r").output
    cgroup_version = "2" if Hierarchies().version == "v2" else "1"
    driver = "systemd" if container.cgroup.path.endswith(".scope") else "cgroupfs"
    on_overlay = "overlay" in container.init.mounts.at("/").type  # or fuse-overlayfs

    assert (
        engine.info("KernelVersion"),
        engine.info("CgroupVersion"),
        engine.info("CgroupDriver"),
        "overlay" in engine.info("Driver"),
    ) == (release, cgroup_version, driver, on_overlay)
