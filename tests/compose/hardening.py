"""What each running container may do, asked of Docker and tried inside the container."""

from __future__ import annotations

from collections.abc import Iterator

from tests.compose.docker import done, inspected, service_of, tried

GIVEN_BACK = {  # the only ones that any service is given back
    "db": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"},
    "proxy": {"NET_BIND_SERVICE"},
}


def faults_of(container_id: str) -> Iterator[str]:
    """Yield what a container may do although it should not."""
    container = inspected(container_id)
    name, host = service_of(container), container["HostConfig"]
    if not host["ReadonlyRootfs"]:
        yield f"{name}: its root file system can be written to"
    if not tried("docker", "exec", container_id, "touch", "/usr/written").returncode:
        yield f"{name}: a file was written to /usr"
    if host["CapDrop"] != ["ALL"]:
        yield f"{name}: does not drop all capabilities"
    given = {each.removeprefix("CAP_") for each in host["CapAdd"] or ()}
    if given != GIVEN_BACK.get(name.split()[0], set()):
        yield f"{name}: has the capabilities {sorted(given)}"
    if host["Privileged"] or not any("no-new-priv" in each for each in host["SecurityOpt"] or ()):
        yield f"{name}: may gain new privileges"
    yield from (f"{name}: {fault}" for fault in _of_processes(container_id))


def secrets_in_environment(container_id: str, secrets: list[str]) -> Iterator[str]:
    """Yield a fault when a secret stands among the container's settings."""
    container = inspected(container_id)
    settings = " ".join([*container["Config"]["Env"], *(container["Config"]["Cmd"] or ())])
    if any(secret in settings for secret in secrets):
        yield f"{service_of(container)}: a secret stands in its environment"


def _of_processes(container_id: str) -> Iterator[str]:
    table = done("docker", "top", container_id, "-eo", "uid,pid,comm").splitlines()[1:]
    for uid, _, program in (line.split(None, 2) for line in table):
        if uid == "0":
            yield f"{program} runs as root"
