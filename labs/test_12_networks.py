"""Chapter 12: networks. Links, rules and a name server make what containers say to each other."""

from pathlib import Path
from signal import SIGKILL

from fixtures.lab import (
    answers,
    fresh,
    given,
    neighbour_started_with,
    private_engine,
    requires,
    settled,
    started_with,
    suite_engine,
    wait_until,
    without,
)

# A web server on port 5000 that says what its container is called: GET /hostname is /etc/hostname.
SERVER = ("busybox", "httpd", "-f", "-p", "5000", "-h", "/etc")
LOCAL_SERVER = (*SERVER[:4], "127.0.0.1:5000", *SERVER[5:])
BRIDGE = "com.docker.network.bridge"
# With these the other way round, as an engine may be configured, it would not start without rules.
NO_OTHER_RULES = {"icc": True, "ip6tables": False}


# A bridge and its cables


@answers("study-24", "intro-7", "how-14", "deep-10")
@requires("libnetwork")
@suite_engine
@started_with(network_mode="bridge")
@without(network_mode="none")
def test_eth0_is_one_end_of_a_cable_to_a_bridge(container, host):
    """A container's eth0 is one end of a veth; the other end is a port of docker0, on the host.

    Kernel: each end of a veth names the other by its index. A bridge passes frames on between its
        ports, as a switch does.
    Without: with --network=none there is no cable, and no end of one on the host.
    Source: veth(4), ip-link(8), docs.docker.com/engine/network/drivers/bridge/
    """
    cables = [link for link in container.network.links.values() if link.kind == "veth"]
    plugs = [host.network.peer(cable) for cable in cables]

    assert [(plug.kind, plug.master) for plug in plugs] == [("veth", "docker0")]


@answers("study-24")
@requires("libnetwork")
@suite_engine
@started_with(network_mode="{network}")
@without("the network that was made: the default one", network_mode="bridge")
def test_a_network_is_a_bridge_whose_address_is_the_gateway(container, host, network):
    """docker network create makes a bridge on the host; its address is the containers' gateway.

    Kernel: what is for no address of its own network, a container sends to the gateway of its
        default route. That is the host itself, which has an address at each of its bridges.
    Without: on the default network that bridge is docker0, with another address.
    Source: docs.docker.com/engine/network/drivers/bridge/; ip-route(8)
    """
    bridge = host.network.links[network.bridge]

    gateway = container.network.gateway
    addresses = [address.partition("/")[0] for address in bridge.addresses]
    assert (bridge.kind, addresses) == ("bridge", [gateway])


@answers("study-24")
@requires("libnetwork")
@suite_engine
@given(options={})
@without("the masquerade", options={f"{BRIDGE}.enable_ip_masquerade": "false"})
def test_beyond_the_host_a_container_has_the_host_s_address(create_network, start, lan, options):
    """What a container sends to other machines comes from the host's address, not from its own.

    Kernel: the rule MASQUERADE puts the address of the interface that a packet leaves by in the
        place of its source, and the connection tracking puts it back in the answers.
    Without: the packet leaves with the container's address, which out there nobody can answer to.
    Source: iptables-extensions(8), MASQUERADE; docs.docker.com/engine/network/packet-filtering-firewalls/
    """
    network = create_network(options=options)
    container = start("container", network_mode=network.name)

    with lan.listen() as cable:
        container.exec("ping", "-c", "1", "-W", "1", lan.router)

    requests = [packet for packet in cable.of("ICMP") if packet.destination == lan.router]
    assert [packet.source for packet in requests] == [lan.host_address]


# Publishing a port


@answers("study-25")
@suite_engine
@fresh
@requires("curl")
@started_with(network_mode="bridge", hostname="web", command=SERVER, ports=["80:5000"])
@without("--publish", ports=None)
def test_a_published_port_of_a_container_is_a_port_of_the_host(container, host):
    """With --publish=80:5000, who asks port 80 of the host is answered by port 5000 inside.

    Kernel: each network namespace has its own ports, and 80 and 5000 are in different ones. The
        engine makes the connection between them.
    Without: nobody is at port 80 of the host, and the kernel refuses the connection.
    Source: docs.docker.com/engine/network/port-publishing/; network_namespaces(7)
    """
    wait_until(lambda: 5000 in container.init.listening_ports)

    answer = host.fetch("http://127.0.0.1:80/hostname")

    assert answer == "web"


@answers("study-25")
@suite_engine
@fresh
@requires("libnetwork", "curl")
@started_with(network_mode="bridge", hostname="web", command=SERVER)
@given(own=True)
@without("the container's address: one of the host's", own=False)
def test_the_host_reaches_a_port_that_is_not_published(container, host, own):
    """The host needs no published port: it reaches port 5000 at the container's own address.

    Kernel: the host has an address at the bridge, and so a route to every container on it.
    Without: at an address of the host nobody listens on that port: it was not published.
    Source: ip-route(8), docs.docker.com/engine/network/port-publishing/
    """
    wait_until(lambda: 5000 in container.init.listening_ports)
    address = container.address() if own else "127.0.0.1"

    answer = host.fetch(f"http://{address}:5000/hostname")

    assert answer == "web"


@answers("study-25", "deep-5")
@requires("curl", "firewall-rules", "br-netfilter")
@private_engine(**{"userland-proxy": False, "iptables": True, **NO_OTHER_RULES})
@started_with(network_mode="bridge", command=SERVER, ports=["80:5000"])
@without("the rules", iptables=False)
def test_a_rule_leads_from_the_host_s_port_to_the_container_s(container, host, lan):
    """A published port is a rule: what comes for port 80 of the host is sent on to port 5000.

    Kernel: the rule DNAT puts the container's address and port in the place of the packet's
        destination, before it is decided where to send it. This engine has no docker-proxy.
    Without: with iptables=false it comes to port 80 of the host, and goes no further.
    Source: iptables-extensions(8), DNAT; nft(8), dnat; docs.docker.com/engine/network/packet-filtering-firewalls/
    """
    wait_until(lambda: 5000 in container.init.listening_ports)
    plug = host.network.peer(container.network.links["eth0"])

    with lan.listen() as outside, host.listen(plug.name) as inside:
        lan.fetch(f"http://{lan.host_address}:80/hostname")

    rules = [rule for rule in host.network.rules if rule.destination]
    came = {packet.port for packet in outside.between(lan.router, lan.host_address)}
    arrived = {packet.port for packet in inside.between(lan.router, container.address())}
    assert (came, len(rules), arrived) == ({80}, 1, {5000})


@requires("curl")
@private_engine(**{"userland-proxy": True})
@started_with(network_mode="bridge", ports=["80:5000"])
@without("docker-proxy", requires=("br-netfilter",), **{"userland-proxy": False})
def test_a_published_port_accepts_before_anybody_listens(container, host):
    """Where nobody listens inside, a published port still accepts connections: docker-proxy does.

    Kernel: docker-proxy is a process of the host that listens on the port, and connects to the
        container only when somebody has come. It serves what comes to 127.0.0.1 and what no rule
        catches; the rest meets the rules.
    Without: with userland-proxy=false the rules alone are there, and the container refuses.
    Source: docs.docker.com/engine/network/port-publishing/, userland-proxy; listen(2)
    """
    answer = host.fetch("http://127.0.0.1:80/hostname")

    listening = host.network.listening
    owners = {owner for socket in listening if socket.port == 80 for owner in socket.owners}
    assert (answer, owners) == ("connected, and no answer", {"docker-proxy"})


@answers("study-25")
@suite_engine
@fresh
@started_with(network_mode="bridge", ports=["80:5000"])
@given(port=80)
@without("the same port: another", port=81)
def test_a_port_of_the_host_can_be_published_once(container, create, port):
    """A second container that wants the same port of the host is not started.

    Kernel: two sockets can not be bound to one address and port (unless both allow it, by
        SO_REUSEPORT), and a packet is sent on to one place. The engine keeps a list of what it has
        given away.
    Without: another port of the host can lead to the same port 5000, of the other container.
    Source: docs.docker.com/engine/network/port-publishing/; bind(2), EADDRINUSE
    """
    second = create("second", network_mode="bridge", ports=[f"{port}:5000"])

    said = second.start()

    assert ("already" in said, second.inspect("State.Running")) == (True, False)


@answers("study-25")
@suite_engine
@fresh
@requires("curl")
@started_with(network_mode="bridge", hostname="web", command=SERVER, ports=["127.0.0.1:80:5000"])
@without("127.0.0.1: every address of the host", ports=["80:5000"])
def test_a_port_published_on_127_0_0_1_is_not_at_the_host_s_other_address(container, host, lan):
    """What is published on 127.0.0.1 answers there, and not at the address that other machines know.

    Kernel: 127.0.0.0/8 is each machine's own, and a packet for it that comes by a cable is dropped.
        But DNAT comes before that: until Engine 28 a machine on the same switch could get in by a
        route of its own (moby issue 45610).
    Without: without an address it is published on all of them, and other machines are answered.
    Source: docs.docker.com/engine/network/port-publishing/; RFC 1122, 3.2.1.3
    """
    wait_until(lambda: 5000 in container.init.listening_ports)

    to_the_host = host.fetch("http://127.0.0.1:80/hostname")
    to_another = lan.fetch(f"http://{lan.host_address}:80/hostname")

    assert (to_the_host, to_another) == ("web", "no connection")


# Apart, and together


@answers("study-24")
@private_engine(iptables=True, **NO_OTHER_RULES)
@started_with(network_mode="{network}")
@neighbour_started_with(network_mode="{other_network}", command=SERVER)
@given(joins=False)
@without("the separation: the container joins both", joins=True)
@without("the rules", iptables=False)
def test_two_networks_do_not_reach_each_other(container, neighbour, other_network, joins):
    """From one network of the host, the address of a container in another one can not be reached.

    Kernel: the host is a router between all its bridges. The engine's rules drop what goes from
        one bridge to another.
    Without: docker network connect gives the container an interface in the other network. With
        iptables=false nothing drops the packets, and the host passes them on.
    Source: docs.docker.com/engine/network/packet-filtering-firewalls/; ip-sysctl.rst, ip_forward
    """
    wait_until(lambda: 5000 in neighbour.init.listening_ports)
    if joins:
        other_network.connect(container)

    answer = container.fetch(f"http://{neighbour.address(other_network)}:5000/hostname")

    assert answer == "timed out"


@suite_engine
@requires("libnetwork", "curl", "br-netfilter")
@given(icc="false")
@without("enable_icc=false", icc="true")
def test_without_icc_neighbours_on_a_bridge_do_not_reach_each_other(
    create_network, start, host, icc
):
    """With enable_icc=false two containers on one bridge do not reach each other; the host does.

    icc is short for inter-container communication.

    Kernel: br_netfilter hands what a bridge passes on to the firewall, too, where a rule drops it.
    Without: the same two on an ordinary bridge network speak to each other.
    Source: docs.docker.com/engine/network/drivers/bridge/, enable_icc; br_netfilter
    """
    network = create_network(options={f"{BRIDGE}.enable_icc": icc})
    server = start("server", network_mode=network.name, hostname="web", command=SERVER)
    client = start("client", network_mode=network.name)
    wait_until(lambda: 5000 in server.init.listening_ports)
    url = f"http://{server.address(network)}:5000/hostname"

    answers = client.fetch(url), host.fetch(url)

    assert answers == ("timed out", "web")


@suite_engine
@given(internal=True)
@without("--internal", internal=False)
def test_an_internal_network_has_no_way_out(create_network, start, lan, internal):
    """In a network made with --internal, containers reach each other, and nobody beyond the host.

    Kernel: rules drop what enters or leaves the bridge for elsewhere; since Engine 25 there is no
        default route either.
    Without: an ordinary network leads out by way of the host.
    Source: docs.docker.com/reference/cli/docker/network/create/, --internal
    """
    network = create_network(internal=internal)
    server = start("server", network_mode=network.name, hostname="web", command=SERVER)
    client = start("client", network_mode=network.name)
    wait_until(lambda: 5000 in server.init.listening_ports)

    inside = client.fetch(f"http://{server.address(network)}:5000/hostname")
    outside = client.exec("ping", "-c", "1", "-W", "1", lan.router)

    assert (inside, outside.exit_code == 0) == ("web", False)


@answers("how-14", "deep-10")
@requires("docker")
@fresh
@neighbour_started_with(hostname="web", command=LOCAL_SERVER)
@started_with(network_mode="container:{neighbour}")
@without("the shared network", network_mode="none")
def test_containers_with_one_network_share_the_loopback(container, neighbour):
    """With --network=container:… two containers are one machine to each other: 127.0.0.1 is shared.

    Kernel: the loopback belongs to the network namespace, and both are in the same one. A pod of
        Kubernetes is made like this.
    Without: each network namespace has a loopback of its own, and there nobody listens.
    Source: network_namespaces(7), docker run --network; kubernetes.io/docs/concepts/workloads/pods/
    """
    wait_until(lambda: 5000 in neighbour.init.listening_ports)

    answer = container.fetch("http://127.0.0.1:5000/hostname")

    assert answer == "web"


@suite_engine
@fresh
@requires("curl")
@started_with(network_mode="host", command=LOCAL_SERVER)
@without(network_mode="bridge")
def test_with_the_host_s_network_a_port_needs_no_publishing(container, host):
    """With --network=host a server in a container is on the host's loopback, with nothing published.

    Kernel: the engine makes no network namespace: the socket is in the host's.
    Without: in a network of its own it listens where the host's connections do not come.
    Source: network_namespaces(7), docs.docker.com/engine/network/drivers/host/
    """
    wait_until(lambda: 5000 in container.init.listening_ports)

    answer = host.fetch("http://127.0.0.1:5000/hostname")

    assert answer == container.read("/etc/hostname")


# Names


@answers("study-28")
@requires("libnetwork")
@suite_engine
@given(where="a network of its own")
@without("the network that was made: the default bridge", where="bridge")
def test_a_network_that_was_made_knows_its_containers_by_name(create_network, start, where):
    """On a network that was made, containers find each other by name; on the default bridge not.

    Kernel: it knows addresses only. The engine answers the question who has that name.
    Without: on the default bridge the name is not known, and yet the same server answers at its
        address: that a name is not found proves no isolation.
    Source: docs.docker.com/engine/network/drivers/bridge/, Differences; resolv.conf(5)
    """
    network = "bridge" if where == "bridge" else create_network().name
    server = start("server", network_mode=network, hostname="web", command=SERVER)
    # Nobody listens there, and no other name is tried: nothing else is waited for.
    nobody = {"dns": ["127.0.0.1"], "dns_search": ["."]}
    client = start("client", network_mode=network, **nobody)
    wait_until(lambda: 5000 in server.init.listening_ports)

    by_name = client.fetch(f"http://{server.name}:5000/hostname")
    by_address = client.fetch(f"http://{server.address(network)}:5000/hostname")

    assert (by_name, by_address) == ("web", "web")


@answers("study-28")
@requires("libnetwork")
@suite_engine
@started_with(network_mode="{network}")
@without("the network that was made: the default one", network_mode="bridge")
def test_the_name_server_of_a_container_is_dockerd(container, engine):
    """A container's name server, 127.0.0.11, is a socket of dockerd's in the container's network.

    Kernel: a socket stays in the network namespace in which it was made, wherever its process is.
        dockerd, outside, enters the container's for a moment to make one.
    Without: on the default bridge /etc/resolv.conf is made from the host's, and no socket is there.
    Source: docs.docker.com/engine/network/, DNS services; setns(2), resolv.conf(5)
    """
    sockets = container.network.listening

    pids = {pid for socket in sockets if socket.address == "127.0.0.11" for pid in socket.pids}
    named = "127.0.0.11" in container.read("/etc/resolv.conf")
    assert (named, pids) == (True, {engine.private.daemon.host_pid})


@answers("study-28")
@suite_engine
@requires("libnetwork", "firewall-rules")
@started_with(network_mode="{network}")
@without("the network that was made: the default one", network_mode="bridge")
def test_a_rule_in_the_container_leads_to_the_name_server(container):
    """Nobody listens on port 53 of 127.0.0.11: a rule inside sends questions to dockerd's port.

    Kernel: each network namespace has a firewall of its own. Port 53 stays free for a name server
        that a container may want to run itself.
    Without: on the default bridge there is neither a socket nor a rule.
    Source: iptables-extensions(8), DNAT; nft(8), dnat; moby daemon/libnetwork/resolver_unix.go
    """
    rules = container.network.rules

    ports = [each.port for each in container.network.listening if each.protocol == "udp"]
    led = [rule for port in ports for rule in rules
           if (rule.port, rule.destination) == ("53", f"127.0.0.11:{port}")]  # fmt: skip
    assert (53 in ports, len(led)) == (False, 1)


@answers("study-28")
@requires("libnetwork")
@suite_engine
@given(aliases=("web", "web"))
@without("the same alias", aliases=("web", "other"))
def test_one_alias_can_be_the_name_of_several_containers(network, start, aliases):
    """Two containers with --network-alias=web share that name, which has the addresses of both.

    Kernel: it has no part in it. A program connects to one of the addresses that it is told.
    Without: a name that one container alone has gets one address.
    Source: docs.docker.com/reference/cli/docker/container/run/, --network-alias; RFC 1034, 3.6
    """
    servers = [
        start(f"server {number}", network_mode=network.name, network_aliases=[alias])
        for number, alias in enumerate(aliases, 1)
    ]

    found = servers[0].lookup("web")

    assert found == {server.address(network) for server in servers}


# Sandbox, endpoint, network


@answers("study-22", "study-23")
@requires("libnetwork", "mounts-of-the-host")
@suite_engine
@started_with(network_mode="bridge")
@without(network_mode="container:{neighbour}")
def test_a_sandbox_is_a_network_namespace_with_a_file(container, host):
    """The sandbox of the Container Network Model is a network namespace; a file holds it open.

    Kernel: a namespace can be bound to a file by a mount; mountinfo tells which one it is. It lives
        as long as a process is in it, or such a mount exists.
    Without: who joins another container's network has no sandbox of their own.
    Source: moby daemon/libnetwork/docs/design.md, Sandbox; namespaces(7), Namespace lifetime
    """
    file = str(Path(container.inspect("NetworkSettings.SandboxKey")).resolve())

    bound = [mount.root for mount in host.mounts if mount.point == file]
    assert bound == [container.init.namespaces.net.label]


@answers("study-23")
@requires("mounts-of-the-host")
@private_engine()
@started_with(network_mode="bridge")
@given(file="bound")
@without("the file: it is unmounted", file="unmounted")
def test_a_sandbox_outlives_its_processes(container, engine, host, file):
    """While its file is there, a sandbox stays as it was, and its cable, without any process in it.

    Kernel: a namespace ends with its last process, or with the last mount of its file. With it go
        the interfaces that are in it; with one end of a veth goes the other.
    Without: when the file is unmounted, nothing holds it any more, and the host's end is gone.
    Source: namespaces(7), Namespace lifetime; veth(4)
    """
    plug = host.network.peer(container.network.links["eth0"]).name
    sandbox = container.inspect("NetworkSettings.SandboxKey")
    engine.private.kill()  # it would tidy up
    container.init.send_signal(SIGKILL)
    wait_until(lambda: not container.init.alive)

    if file == "unmounted":
        host.exec("umount", sandbox)
    links = settled(lambda: host.network.links, until=lambda links: plug not in links, within=1)

    assert plug in links


@answers("study-22", "study-23")
@requires("libnetwork")
@suite_engine
@started_with(network_mode="{network}")
@given(joins=True)
@without("the second network", joins=False)
def test_each_network_of_a_container_is_an_endpoint_in_one_sandbox(
    container, host, network, other_network, joins
):
    """A container in two networks has two endpoints, cables with a MAC and an IP, in one sandbox.

    Kernel: both are interfaces in the same network namespace, and their other ends are on two
        bridges. The ids of the networks are the names of the bridges.
    Without: who joined one network has one endpoint.
    Source: moby daemon/libnetwork/docs/design.md, Endpoint; docker network connect --help
    """
    if joins:
        other_network.connect(container)

    asked = container.inspect("NetworkSettings.Networks")
    told = {f"br-{each['NetworkID'][:12]}": each["IPAddress"] for each in asked.values()}
    links = [link for link in container.network.links.values() if link.kind == "veth"]
    found = {host.network.peer(link).master: link.addresses[0].partition("/")[0] for link in links}
    assert (found, set(found)) == (told, {network.bridge, other_network.bridge})


# Straight onto the network outside


@answers("study-26")
@suite_engine
@requires("macvlan")
@given(driver="macvlan")
@without("macvlan: a bridge network", driver="bridge")
def test_with_macvlan_a_container_is_in_the_network_outside(create_network, start, lan, driver):
    """With macvlan the other machines see a container with an address and a MAC of its own.

    Kernel: a macvlan is a second interface on the same card. It sends frames with a MAC of its
        own, and gets those that are for it: no bridge, no port and no NAT is in between.
    Without: from a bridge network they see the host's address and the host's MAC.
    Source: docs.docker.com/engine/network/drivers/macvlan/, ip-link(8)
    """
    network = create_network(driver=driver, **(lan.place if driver == "macvlan" else {}))
    container = start("container", network_mode=network.name)

    with lan.listen() as cable:
        container.exec("ping", "-c", "1", "-W", "1", lan.router)

    requests = [packet for packet in cable.of("ICMP") if packet.destination == lan.router]
    seen = [(packet.source, packet.mac_source) for packet in requests]
    assert seen == [(container.address(network), container.network.links["eth0"].address)]


@answers("study-26")
@suite_engine
@requires("macvlan", "curl")
@given(driver="macvlan")
@without("macvlan: a bridge network", driver="bridge")
def test_the_host_does_not_reach_its_containers_on_macvlan(
    create_network, start, host, lan, driver
):
    """A container on macvlan is reached by the machines outside, and not by its own host.

    Kernel: what the host sends on the card goes out by the cable, and not to the other interfaces
        that are on the same card.
    Without: with a bridge network it is the other way round: the host reaches it, and out there
        nobody knows its address.
    Source: docs.docker.com/engine/network/drivers/macvlan/; ip-link(8), macvlan
    """
    network = create_network(driver=driver, **(lan.place if driver == "macvlan" else {}))
    server = start("server", network_mode=network.name, hostname="web", command=SERVER)
    wait_until(lambda: 5000 in server.init.listening_ports)
    url = f"http://{server.address(network)}:5000/hostname"

    to_another, to_the_host = lan.fetch(url), host.fetch(url)

    assert (to_another, to_the_host) == ("web", "timed out")


@answers("study-27")
@suite_engine
@requires("macvlan")
@given(registered=False)
@without("the switch that knows one MAC: it is told the container's", registered=True)
def test_a_switch_that_knows_one_mac_drops_what_is_for_another(
    create_network, start, lan, registered
):
    """Behind a switch that knows one MAC per port, --network=host is answered, and macvlan is not.

    Kernel: a bridge plays the switch of a cloud: its port learns no addresses and has one in the
        table. A frame for another MAC finds no port, and is dropped.
    Without: where the provider registers the container's MAC, too, the answer comes.
    Source: docs.docker.com/engine/network/drivers/macvlan/; bridge(8), learning, flood
    """
    lan.lock()
    network = create_network(driver="macvlan", **lan.place)
    on_macvlan = start("on macvlan", network_mode=network.name)
    on_the_host = start("on the host", network_mode="host")
    if registered:
        lan.register(on_macvlan.network.links["eth0"].address)

    ping = ("ping", "-c", "1", "-W", "1", lan.router)
    answered = [each.exec(*ping).exit_code == 0 for each in (on_the_host, on_macvlan)]

    assert answered == [True, False]


@answers("study-26", "study-27")
@suite_engine
@requires("ipvlan")
@given(driver="ipvlan")
@without("ipvlan: macvlan", driver="macvlan", requires=("macvlan",))
def test_ipvlan_gets_past_a_switch_that_knows_one_mac(create_network, start, lan, driver):
    """With ipvlan a container has an address of its own and the host's MAC, and so it is answered.

    Kernel: an ipvlan shares the MAC of the card. Which interface a packet is for is decided by its
        IP address.
    Without: with macvlan it has another MAC, which the switch does not know.
    Source: networking/ipvlan.rst, docs.docker.com/engine/network/drivers/ipvlan/
    """
    lan.lock()
    network = create_network(driver=driver, **lan.place)
    container = start("container", network_mode=network.name)

    ping = container.exec("ping", "-c", "1", "-W", "1", lan.router)

    mac = container.network.links["eth0"].address
    assert (mac, ping.exit_code == 0) == (lan.mac, True)
