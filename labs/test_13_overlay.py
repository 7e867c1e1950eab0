"""Chapter 13: overlay networks. How a message of a container on one host comes to one on another."""

from fixtures.lab import (
    answers,
    fresh,
    given,
    requires,
    settled,
    suite_engine,
    wait_until,
    without,
)

VXLAN = 4789
PING = ("ping", "-c", "1", "-W", "1")
# What is left of 1450 bytes behind the headers of IPv4 and ICMP.
FULL_PING = (*PING, "-s", "1422")
SERVICE = ("service", "create", "--detach", "--no-resolve-image")
SLEEP = ("--stop-signal=KILL", "--restart-delay=0s", "busybox", "sleep", "infinity")


# One network on two hosts


@answers("how-25", "study-29")
@requires("libnetwork")
@suite_engine
@given(driver="overlay")
@without("the overlay: a bridge network", driver="bridge")
def test_an_overlay_network_needs_a_swarm(engine, driver):
    """An engine alone makes no overlay network: who else is in it, it has to learn from a swarm.

    Kernel: it is not asked. A VXLAN device can be made by anybody; what an engine lacks is the
        knowledge on which host which container is.
    Without: a bridge is a matter of this host alone, and is made at once.
    Source: docs.docker.com/engine/network/drivers/overlay/, Requirements
    """
    status, message = engine.request("POST", "/networks/create", {"Name": "lab", "Driver": driver})

    assert (status == 201, "swarm" in message) == (False, True)


@answers("study-24", "study-29")
@requires("two-hosts")
@given(network="green")
@without("the bridge network: an overlay", network="red")
def test_bridge_networks_of_one_name_on_two_hosts_are_two(swarm, start_on, network):
    """Bridge networks of one name on two hosts are two networks: C1 does not find C2 by its name.

    Kernel: a bridge is a link of one network namespace, here of each host, and no port of it leads
        to the wire.
    Without: an overlay network is one on both hosts, and what its DNS server knows is the same.
    Source: docs.docker.com/engine/network/drivers/bridge/
    """
    c1 = start_on("host-1", "C1", network_mode=network)
    start_on("host-2", "C2", network_mode=network)

    found = settled(lambda: c1.lookup("c2-host-2"), until=bool, within=3)
    assert found == set()


@answers("study-28", "study-29")
@requires("two-hosts")
@given(network="red")
@without("the network of C2: C1 is in another", network="blue")
def test_containers_find_each_other_by_name_across_hosts(swarm, start_on, network):
    """On an overlay network C1 finds C2, on another host, by its name.

    Kernel: it carries what the engines tell each other, to port 7946. Each answers its own
        containers from what it has heard.
    Without: a name belongs to a network. In another one nobody has it.
    Source: docs.docker.com/engine/network/drivers/overlay/; moby daemon/libnetwork/networkdb
    """
    c1 = start_on("host-1", "C1", network_mode=network)
    c2 = start_on("host-2", "C2", network_mode="red")

    found = settled(lambda: c1.lookup("c2-host-2"), until=bool, within=10)
    assert found == {c2.address("red")}


@answers("study-29")
@requires("two-hosts")
@given(network="white")
@without("the lack of containers: one that a container is in", network="red")
def test_an_overlay_network_comes_to_a_host_with_its_first_container(swarm, start_on, network):
    """No host has a namespace for an overlay network before a container there is in that network.

    Kernel: there is no namespace, no bridge and no VXLAN device for it. The manager alone knows
        that there is such a network.
    Without: as soon as a container is in it, the host has all of them.
    Source: docs.docker.com/engine/network/drivers/overlay/
    """
    start_on("host-2", "C2", network_mode="red")

    known = [
        network in host.docker("network", "ls", "--format={{.Name}}").output.split()
        for host in swarm
    ]
    identity = swarm["host-1"].network_id(network)
    namespaces = [host.namespace_of(network, identity) for host in swarm]
    assert (known, namespaces) == ([True, False], [None, None])


# C1 sends a message to C2


@answers("how-25", "study-30")
@requires("two-hosts")
@given(network="red")
@without("the overlay: a bridge network", network="green")
def test_c1_is_plugged_into_br0_beside_the_vtep(swarm, start_on, network):
    """C1's eth0 ends at a bridge, br0, and another port of that bridge is a VXLAN device: the VTEP.

    VTEP is short for VXLAN tunnel end point.

    Kernel: both are in a network namespace that is neither C1's nor the host's: the engine makes
        one for each overlay network, and keeps it in a file.
    Without: a bridge network has its bridge on the host itself, and all its ports are containers.
    Source: ip-link(8), vxlan; moby daemon/libnetwork/drivers/overlay
    """
    here = swarm["host-1"]
    c1 = start_on("host-1", "C1", network_mode=network)

    namespace = here.namespace_of(network) or here.network
    bridge = namespace.peer(c1.network.links["eth0"]).master
    kinds = {link.kind for link in namespace.links.values() if link.master == bridge}

    assert (bridge, kinds) == ("br0", {"veth", "vxlan"})


@answers("how-25", "study-30")
@requires("two-hosts")
@given(there="host-2")
@without("the other host: C2 is on the same", there="host-1")
def test_the_vtep_knows_beforehand_on_which_host_c2_is(swarm, start_on, there):
    """The VTEP's tables name C2's MAC, and the host that it is on.

    Kernel: the forwarding table of a VXLAN device says for a MAC to which host its
        frames go, and the ARP table which one an IP address has. dockerd fills in both, so that
        nobody has to ask over the wire.
    Without: what is on the same host is behind another port of br0, and the VTEP has no entry.
    Source: bridge(8), fdb; ip-neighbour(8); networking/vxlan.rst
    """
    start_on("host-1", "C1", network_mode="red")
    c2 = start_on(there, "C2", network_mode="red")
    overlay = swarm["host-1"].namespace_of("red")
    mac, address = c2.network.links["eth0"].address, c2.address("red")

    # br0 may have learnt where the address is, too: an entry without a host.
    hosts = settled(
        lambda: {each.destination for each in overlay.forwarding if each.mac == mac} - {None},
        until=bool,
        within=10,
    )
    macs = {each.mac for each in overlay.neighbours if each.address == address}
    assert (hosts, macs) == ({swarm["host-2"].address}, {mac})


@answers("how-25", "study-29", "study-30")
@requires("two-hosts")
@given(there="host-2")
@without("the other host: both are on one", there="host-1")
def test_between_hosts_a_container_s_packet_travels_inside_another(swarm, start_on, there):
    """What C1 sends to C2 on another host goes over the wire inside a UDP packet from host to host.

    Kernel: a VXLAN device puts a whole Ethernet frame into a UDP packet to port 4789. The outer
        addresses are the hosts', the inner ones those of the containers.
    Without: between two containers on one host the bridge there is enough: nothing is on the wire.
    Source: RFC 7348, VXLAN Frame Format
    """
    here = swarm["host-1"]
    c1 = start_on("host-1", "C1", network_mode="red")
    c2 = start_on(there, "C2", network_mode="red")
    wait_until(lambda: c1.exec(*PING, f"c2-{there}").exit_code == 0)

    with here.listen() as wire:
        c1.exec(*PING, f"c2-{there}")

    carried = wire.between(c1.address("red"), c2.address("red"))
    assert [(each.source, each.destination, each.port) for each in carried] == [
        (here.address, swarm["host-2"].address, VXLAN)
    ]


@answers("study-30")
@requires("two-hosts")
@given(there="host-2")
@without("the other host: both are on one", there="host-1")
def test_c2_receives_the_very_frame_that_c1_has_sent(swarm, start_on, there):
    """What leaves C1's eth0, what the packet on the wire has inside, and what reaches C2 are equal.

    Kernel: the VTEP of the one host puts outer headers before the frame, and that of the other
        takes them off again. The frame itself is not changed: no router is between C1 and C2.
    Without: on one host the frame comes to C2 as well, but nothing is packed and unpacked.
    Source: RFC 7348, Unicast VM-to-VM Communication
    """
    c1 = start_on("host-1", "C1", network_mode="red")
    c2 = start_on(there, "C2", network_mode="red")
    ends = c1.address("red"), c2.address("red")
    wait_until(lambda: c1.exec(*PING, ends[1]).exit_code == 0)

    with c1.listen() as leaving, swarm["host-1"].listen() as wire, c2.listen() as arriving:
        c1.exec(*PING, ends[1])

    sent, carried, received = (each.between(*ends) for each in (leaving, wire, arriving))
    unpacked = [each.inner for each in carried]
    assert sent == unpacked == received != []


@answers("study-30")
@requires("two-hosts")
@given(network="red")
@without("the network: another", network="blue")
def test_the_vni_on_the_wire_is_the_number_of_the_network(swarm, start_on, network):
    """Each packet names the network that it belongs to by a number, the VNI.

    The swarm gave it that VXLAN network identifier; the course calls it VNID.

    Kernel: a VXLAN device has one VNI, of 24 bits. It writes it before each frame that it packs,
        and unpacks no other.
    Without: another network on the same two hosts has another number, on the same wire and port.
    Source: RFC 7348, VXLAN Frame Format; docker network inspect, vxlanid_list
    """
    c1 = start_on("host-1", "C1", network_mode=network)
    c2 = start_on("host-2", "C2", network_mode=network)
    ends = c1.address(network), c2.address(network)
    wait_until(lambda: c1.exec(*PING, ends[1]).exit_code == 0)

    with swarm["host-1"].listen() as wire:
        c1.exec(*PING, ends[1])

    carried = wire.between(*ends)
    assert [each.vni for each in carried] == [swarm.vni("red")]


@answers("study-30")
@requires("two-hosts")
@given(network="blue")
@without("the other network: both are in one", network="red")
def test_two_overlay_networks_do_not_reach_each_other(swarm, start_on, network):
    """C1 in one overlay network can not reach C2 in another, though both use the same wire.

    Kernel: C1 has no link in C2's network. What it sends there takes its default route, to its own
        host (docker_gwbridge), which knows no way to that network either.
    Without: in C2's network there is a link, a bridge, and a VTEP with C2's number.
    Source: docs.docker.com/engine/network/drivers/overlay/; ip-route(8)
    """
    c1 = start_on("host-1", "C1", network_mode=network)
    c2 = start_on("host-2", "C2", network_mode="red")
    ends = c1.address(network), c2.address("red")

    with swarm["host-1"].listen() as wire:
        ping = settled(
            lambda: c1.exec(*PING, ends[1]), until=lambda ping: ping.exit_code == 0, within=1
        )

    assert (ping.exit_code, wire.between(*ends)) == (1, [])


@answers("study-30")
@requires("two-hosts")
@given(network="red")
@without("the overlay: a bridge network", network="green")
def test_an_overlay_leaves_room_for_fifty_bytes_of_headers(swarm, start_on, network):
    """In an overlay a packet has at most 1450 bytes: with what is put before it, the wire is full.

    Kernel: the inner Ethernet header has 14 bytes, VXLAN's 8, UDP's 8, and the outer IPv4's 20. The
        MTU of the wire, 1500, bounds the sum.
    Without: on a bridge network nothing is put before it, and a packet may have 1500 bytes itself.
    Source: RFC 7348; docs.docker.com/engine/network/drivers/overlay/
    """
    c1 = start_on("host-1", "C1", network_mode=network)
    c2 = start_on("host-2", "C2", network_mode="red")
    ends = c1.address(network), c2.address("red")

    with swarm["host-1"].listen() as wire:
        settled(
            lambda: c1.exec(*FULL_PING, ends[1]), until=lambda ping: ping.exit_code == 0, within=1
        )

    sizes = {each.size for each in wire.between(*ends)}
    assert (c1.network.links["eth0"].mtu, sizes) == (1450, {1500})


@answers("study-30")
@requires("two-hosts", "esp")
@given(network="sealed")
@without("the option encrypted", network="red")
def test_an_encrypted_overlay_can_not_be_read_on_the_wire(swarm, start_on, network):
    """With --opt encrypted, what goes over the wire is ESP: neither VNI nor inner frame can be read.

    Kernel: ESP, the encapsulating security payload of IPsec, encrypts the packets of that network's
        VNI on their way out, with keys that the managers change every twelve hours: ip xfrm state.
    Without: an overlay encrypts nothing. Whoever listens at the wire reads every frame.
    Source: docs.docker.com/engine/network/drivers/overlay/, Encrypt traffic; ip-xfrm(8); RFC 4303
    """
    c1 = start_on("host-1", "C1", network_mode=network)
    c2 = start_on("host-2", "C2", network_mode=network)
    ends = c1.address(network), c2.address(network)
    wait_until(lambda: c1.exec(*PING, ends[1]).exit_code == 0)

    with swarm["host-1"].listen() as wire:
        c1.exec(*PING, ends[1])

    readable = wire.between(*ends)
    assert (readable, wire.of("ESP") != []) == ([], True)


# The same by hand


@answers("how-25", "study-30")
@requires("root", "vxlan", "bash")
@given(link="vxlan0", vni=42)
@without("the VXLAN device: the wire itself has the addresses", link="eth0")
@without("the same VNI on both hosts", vni=43)
def test_one_line_on_each_host_makes_an_overlay_by_hand(wired_hosts, link, vni):
    """ip link add type vxlan on two hosts is an overlay: what is sent to the one's is on the other.

    Kernel: a TCP connection is asked for and refused: a packet there and one back, each inside a
        UDP packet. No engine, no swarm and no daemon has a part in it.
    Without: without the device, the packets are on the wire as they are. With two numbers, the
        other host unpacks nothing: not even the question for the MAC (ARP) is answered.
    Source: ip-link(8), vxlan; networking/vxlan.rst
    """
    one, two = wired_hosts
    ends = "10.42.0.1", "10.42.0.2"
    for host, other, number, address in ((one, two, 42, ends[0]), (two, one, vni, ends[1])):
        if link == "vxlan0":
            host.exec("ip", "link", "add", "vxlan0", "type", "vxlan", "id", f"{number}",
                      "local", host.address, "remote", other.address, "dstport", f"{VXLAN}")  # fmt: skip
            host.exec("ip", "link", "set", "vxlan0", "up")
        host.exec("ip", "address", "add", f"{address}/24", "dev", link)

    with one.listen() as wire:
        one.exec("timeout", "1", "bash", "-c", 'echo > "/dev/tcp/$1/9"', "bash", ends[1])

    there, back = wire.between(*ends), wire.between(*reversed(ends))
    assert [{(each.port, each.vni) for each in way} for way in (there, back)] == [
        {(VXLAN, 42)},
        {(VXLAN, 42)},
    ]


# Services


@answers("study-28")
@requires("two-hosts")
@given(mode="vip")
@without("the virtual address: --endpoint-mode=dnsrr", mode="dnsrr")
def test_the_name_of_a_service_is_one_address_that_no_container_has(swarm, start_on, mode):
    """The name of a service stands for one address, which is virtual: no container of it has it.

    Kernel: IPVS, the IP virtual server, hands on what is sent to that address, to one of the
        containers after the other. The name only leads to it.
    Without: with dnsrr there is no such address, and the name has that of each container.
    Source: docs.docker.com/engine/swarm/networking/, Configure service discovery
    """
    c1 = start_on("host-1", "C1", network_mode="red")
    options = (f"--name=web-{mode}", "--replicas=2", "--network=red", f"--endpoint-mode={mode}")
    swarm["host-1"].docker(*SERVICE, *options, *SLEEP)

    containers = wait_until(
        lambda: len(found := c1.lookup(f"tasks.web-{mode}")) == 2 and found, within=90
    )
    addresses = settled(lambda: c1.lookup(f"web-{mode}"), until=bool, within=5)
    assert (len(addresses), addresses & containers) == (1, set())


@requires("two-hosts")
@fresh
@given(wanted="--replicas=2")
@without("the number of replicas: one on each host", wanted="--mode=global")
def test_when_a_host_is_lost_its_share_of_a_service_is_started_on_another(swarm, wanted):
    """A swarm starts a container anew, on another host, when the one that it was on is lost.

    Kernel: it is not the same process. The lost one may even run on: from a host that has fallen
        silent nobody can tell.
    Without: of a global service each host has one; there is nothing to be made up for.
    Source: docs.docker.com/engine/swarm/how-swarm-mode-works/services/; docker swarm init --help
    """
    manager, worker = swarm
    manager.docker(*SERVICE, "--name=web", wanted, *SLEEP)
    wait_until(lambda: [len(host.containers_of("web")) for host in swarm] == [1, 1], within=90)

    worker.engine.private.kill()
    wait_until(lambda: swarm.states["host-2"] == "down", within=90)

    running = settled(
        lambda: manager.containers_of("web"), until=lambda ids: len(ids) == 2, within=15
    )
    assert len(running) == 2
