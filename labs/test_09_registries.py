"""Chapter 9: registries. Images go from engine to engine as blobs, each called by its digest."""

from fixtures.lab import answers, given, private_engine, requires, suite_engine, without

# An address that is no loopback address: 127.0.0.0/8 has privileges.
ELSEWHERE = "203.0.113.1"


@answers("study-12")
@requires("registry")
@suite_engine
@given(repository="127.0.0.1:5000/app", tag="1")
@without("the address in the name", repository="app")
@without("the tag that was pushed", tag="2")
def test_an_image_goes_to_the_registry_in_its_name_and_comes_back(
    make_image, docker, registry, repository, tag
):
    """An image is pushed to the registry that its name begins with, and pulled from there the same.

    Kernel: the engine connects to that address, uploads the layers and the config, and at last
        the manifest, which names them by digest. The id is such a digest: equal id, equal image.
    Without: a name without an address means docker.io, which can not be reached from here. Of a
        tag that it does not have the registry says: 404, manifest unknown.
    Source: docker push --help; OCI distribution-spec, Push and Pull
    """
    image = make_image("a program", f"{repository}:1")
    docker.attempt("push", f"{repository}:1")
    docker("rmi", f"{repository}:1")

    docker.attempt("pull", f"{repository}:{tag}")

    assert (registry.names, docker.images(repository)) == (["app:1"], [image.id])


@answers("study-12", "study-14")
@requires("registry")
@suite_engine
@given(first="busybox")
@without("the layers in the registry: another image's are there", first="busybox:musl")
def test_a_push_sends_only_the_layers_that_the_registry_lacks(build, docker, registry, first):
    """Of an image whose base is in the registry already, docker push uploads the top layer alone.

    Kernel: the engine asks for each layer by its digest first, HEAD /v2/…/blobs/sha256:…, and
        uploads it only when the answer is 404.
    Without: of an image that shares no layer with what is there, every layer is uploaded.
    Source: OCI distribution-spec, Checking if content exists in the registry
    """
    app = build("FROM busybox\nCOPY note /note", {"note": "a program"}, name="app")
    docker("tag", first, f"{registry.address}/app:1")
    docker("tag", app.name, f"{registry.address}/app:2")
    docker("push", f"{registry.address}/app:1")
    before = len(registry.received)

    docker("push", f"{registry.address}/app:2")

    layers = registry.layers("app:2")
    uploaded = registry.received[before:]
    assert [layer for layer in layers if layer in uploaded] == layers[-1:]


@answers("study-14")
@requires("registry")
@suite_engine
@given(base="busybox")
@without("the same base", base="busybox:musl")
def test_images_share_their_layers_on_the_disk_of_the_registry(build, docker, registry, base):
    """Two images on one base have its two layers once on the registry's disk: four, and not six.

    Kernel: the registry keeps a layer in a file that is called by its digest. The same content is
        the same file, whichever repositories have it.
    Without: on another base the second image has layers of its own, and there are six.
    Source: distribution, docs/spec/api.md, Content Digests; OCI image-spec, descriptor.md
    """
    for name, under in {"app": "busybox", "shop": base}.items():
        image = build(f"FROM {under}\nCOPY note /note", {"note": name}, name=name)
        docker("tag", image.name, f"{registry.address}/{name}:1")
        docker("push", f"{registry.address}/{name}:1")

    app, shop = set(registry.layers("app:1")), set(registry.layers("shop:1"))
    stored = (app | shop) & registry.blobs.keys()

    assert (len(app & shop), len(stored)) == (2, 4)


@answers("study-14")
@requires("registry", "classic-builder")
@suite_engine
@given(base="busybox")
@without("the base: the image has none", base="scratch")
def test_a_pull_fetches_only_the_layers_that_are_not_here(build, docker, engine, registry, base):
    """Of an image whose base is here already, docker pull downloads only the layers on top of it.

    Kernel: the manifest lists the layers; those that the engine has it does not ask for.
    Without: of an image without that base every layer is downloaded.
    Source: OCI distribution-spec, Pulling blobs; docs.docker.com/engine/storage/drivers
    """
    name = f"{registry.address}/app:1"
    app = build(f"FROM {base}\nCOPY a /a\nCOPY b /b", {"a": "first", "b": "second"}, name="app")
    docker("tag", app.name, name)
    docker("push", name)
    docker("rmi", app.name, name)

    docker("pull", name)

    layers = registry.layers("app:1")
    fetched = [layer for layer in layers if layer in registry.sent]
    assert fetched == layers[len(engine.image("busybox").layers) :]


@answers("study-15")
@requires("registry")
@suite_engine
@given(asked_by="digest")
@without("the digest: the tag is asked for", asked_by="tag")
def test_a_digest_still_gets_the_image_that_lost_its_tag(make_image, docker, registry, asked_by):
    """When a tag is pushed again with other content, the digest still pulls the older image.

    Kernel: a tag is a file in the registry that names a digest, and is overwritten. A digest is
        the SHA-256 of the manifest: other content can not have it.
    Without: the tag gets the newer image, and nothing says that it was ever another.
    Source: OCI distribution-spec, Pulling manifests; OCI image-spec, descriptor.md, Digests
    """
    repository = f"{registry.address}/app"
    older = make_image("the older program", f"{repository}:1")
    docker("push", f"{repository}:1")
    names = {"digest": f"{repository}@{registry.digest('app:1')}", "tag": f"{repository}:1"}
    make_image("the newer program", f"{repository}:1")
    docker("push", f"{repository}:1")
    # By force: in containerd's store of Docker 26 an image that has lost its tag is gone by then.
    docker("rmi", "--force", *names.values())

    docker("pull", names[asked_by])

    assert (registry.names, docker.images(repository)) == (["app:1"], [older.id])


@answers("study-15", "study-38")
@requires("registry")
@suite_engine
@given(changed=True)
@without("the change", changed=False)
def test_a_layer_that_was_changed_in_the_registry_is_refused(make_image, docker, registry, changed):
    """A layer with one byte changed on the registry's disk is refused: it is not what was named.

    Kernel: the engine computes the SHA-256 of what it downloads and compares it with the digest in
        the manifest. That shows a change, and does not show who made the image.
    Without: the layer as it was pushed is accepted.
    Source: OCI image-spec, descriptor.md, Verification; OCI distribution-spec, Pulling blobs
    """
    name = f"{registry.address}/app:1"
    make_image("a program", name)
    docker("push", name)
    docker("rmi", name)
    (layer,) = registry.layers("app:1")
    if changed:
        registry.tamper(layer)

    pull = docker.attempt("pull", name)

    assert layer in pull.stderr


@answers("study-16")
@requires("registry", "classic-builder")
@suite_engine
@given(option=())
@without("the choice by itself: another platform is asked for", option=("--platform=linux/s390x",))
def test_of_a_multi_architecture_image_the_engine_pulls_its_own(build, docker, registry, option):
    """Of one name for three architectures the engine pulls the image for its own, and no other.

    Kernel: the tag names a list of manifests (OCI: an index), each with a platform. The engine
        fetches the list, picks a manifest by os and architecture, and fetches what that one names.
    Without: with --platform it picks another, whether this machine can run it or not.
    Source: OCI image-spec, image-index.md; docker pull --help, --platform
    """
    app = f"{registry.address}/app"
    here = docker("version", "--format={{.Server.Arch}}").output
    architectures = [here, "amd64" if here == "arm64" else "arm64", "s390x"]
    for each in architectures:
        dockerfile = "FROM scratch\nCOPY note /note"
        image = build(dockerfile, {"note": each}, name=each, platform=f"linux/{each}")
        docker("tag", image.name, f"{app}:{each}")
        docker("push", f"{app}:{each}")
        docker("rmi", image.name, f"{app}:{each}")
    names = [f"{app}:{each}" for each in architectures]
    docker("manifest", "create", "--insecure", f"{app}:1", *names)
    docker("manifest", "push", "--insecure", "--purge", f"{app}:1")
    before = len(registry.sent)

    docker("pull", *option, f"{app}:1")

    fetched = registry.sent[before:]
    chosen = [name for name, digest in registry.platforms("app:1").items() if digest in fetched]
    assert chosen == [here]


@answers("study-16")
@requires("registry")
@suite_engine
@given(platform="linux/s390x")
@without("the lack: a platform of the list", platform="linux/arm64")
def test_a_platform_that_the_list_lacks_can_not_be_pulled(build, docker, registry, platform):
    """For a platform that a multi-architecture image does not have, docker pull says: no match.

    Kernel: the engine goes through the list by os and architecture. It takes no other instead:
        the kernel would answer execve(2) with ENOEXEC.
    Without: an architecture that is in the list is pulled.
    Source: OCI image-spec, image-index.md; execve(2)
    """
    app = f"{registry.address}/app"
    image = build("FROM scratch\nCOPY note /note", {"note": "arm64"}, platform="linux/arm64")
    docker("tag", image.name, f"{app}:arm64")
    docker("push", f"{app}:arm64")
    docker("manifest", "create", "--insecure", f"{app}:1", f"{app}:arm64")
    docker("manifest", "push", "--insecure", "--purge", f"{app}:1")

    pull = docker.attempt("pull", f"--platform={platform}", f"{app}:1")

    assert "no match" in pull.stderr


@answers("study-13")
@requires("registry")
@suite_engine
@given(ip=ELSEWHERE)
@without("the other address: a loopback address", ip="127.0.0.1")
def test_plain_http_is_for_registries_on_loopback_addresses(docker, open_registry, ip):
    """From a registry at any other address the engine wants TLS: plain HTTP is refused.

    Kernel: the engine connects by TLS and gets an answer in plain text. It falls back to HTTP only
        for what insecure-registries lists, which has 127.0.0.0/8 by default.
    Without: at 127.0.0.1 the same registry is pushed to by HTTP.
    Source: docs.docker.com/reference/cli/dockerd, insecure-registries
    """
    name = f"{open_registry(ip=ip).address}/app:1"
    docker("tag", "busybox", name)

    push = docker.attempt("push", name)

    assert "server gave HTTP response to HTTPS client" in push.stderr


@answers("study-13")
@requires("registry", "openssl", "etc-docker")
@private_engine(own_certificates=True)
@given(trusted=False)
@without("the distrust: the CA's certificate is in certs.d", trusted=True)
def test_a_certificate_by_an_unknown_authority_is_refused(docker, open_registry, trusted):
    """A registry whose certificate is by a CA of one's own is refused until the engine knows that CA.

    Kernel: the engine looks for the issuer among the CAs of the system, and in
        /etc/docker/certs.d/<address>/ca.crt, which it reads at each connection.
    Without: with the CA's certificate in that file the push succeeds, without a restart.
    Source: docs.docker.com/engine/security/certificates; RFC 5280, section 6
    """
    registry = open_registry(ip=ELSEWHERE, certificate="valid")
    name = f"{registry.address}/app:1"
    docker("tag", "busybox", name)
    if trusted:
        registry.make_trusted()

    push = docker.attempt("push", name)

    assert "x509: certificate signed by unknown authority" in push.stderr


@answers("study-13")
@requires("registry", "openssl", "etc-docker")
@private_engine(own_certificates=True, **{"insecure-registries": []})
@given(certificate="expired", ip=ELSEWHERE)
@without("the expiry: a valid certificate", certificate="valid")
@without("the other address: a loopback address", ip="127.0.0.1")
@without("the check: insecure-registries", **{"insecure-registries": [f"{ELSEWHERE}:5000"]})
def test_an_expired_certificate_is_refused(docker, open_registry, certificate, ip):
    """A registry whose certificate has expired is refused, although the engine trusts its CA.

    Kernel: a certificate says from when until when it is valid, and the engine compares that with
        the clock: x509: certificate has expired or is not yet valid.
    Without: one that is valid is accepted. At 127.0.0.1 the expired one is accepted, too: the
        engine checks no certificate there, nor at what insecure-registries lists.
    Source: RFC 5280, section 4.1.2.5, Validity; docs.docker.com/reference/cli/dockerd
    """
    registry = open_registry(ip=ip, certificate=certificate)
    name = f"{registry.address}/app:1"
    docker("tag", "busybox", name)
    registry.make_trusted()

    push = docker.attempt("push", name)

    assert "x509: certificate has expired" in push.stderr


@answers("study-38")
@requires("registry")
@suite_engine
@given(by="the API")
@without("the API: the docker command", by="docker pull", requires=("content-trust",))
def test_content_trust_was_a_check_of_the_docker_command(make_image, docker, engine, registry, by):
    """The engine itself asks for no signature: its API pulls an image that nobody has signed.

    Kernel: with DOCKER_CONTENT_TRUST=1 the docker command looked for a signed digest on a notary
        server and asked the engine for that digest. Its engine has never known of it, and Docker
        has retired it. Today cosign and Notation keep signatures in the registry, beside the
        image; again it is not the engine that checks them. A pull by digest it always checks.
    Without: docker pull with content trust finds no signature, and pulls nothing.
    Source: docs.docker.com/engine/security/trust; docker.com/blog/retiring-docker-content-trust
    """
    name = f"{registry.address}/app:1"
    image = make_image("a program that nobody has signed", name)
    docker("push", name)
    docker("rmi", name)

    if by == "the API":
        engine.pull(name)
    else:
        docker.attempt("pull", "--disable-content-trust=false", name)

    assert docker.images(name) == [image.id]
