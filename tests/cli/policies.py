"""fathom under a policy of the machine, in a mount namespace of its own."""
import os
import re
import subprocess

from program import BUILD, run


def sysconfdir():
    """Where the program looks for the policy, from the Makefile."""
    values = {}
    with open(os.path.join(BUILD, "Makefile")) as file:
        for line in file:
            found = re.match(r"(prefix|sysconfdir) = (.*)$", line)
            if found:
                values.setdefault(found[1], found[2])
    return values["sysconfdir"].replace("${prefix}", values["prefix"])


MOUNT = """
mount -t tmpfs none "$1" && mkdir -m 755 "$1/fathom" || exit 99
cp -R "$2/." "$1/fathom" && cd / || exit 99
chmod "$3" "$1/fathom/policy.conf" || exit 99
shift 3
exec "$@"
"""


def under_policy(site, text, *arguments, mode="0644", **more):
    """Runs fathom where the machine has this policy."""
    os.makedirs(site.file("etc"), exist_ok=True)
    site.write("etc/policy.conf", text)
    flags = "-m" if os.geteuid() == 0 else "-rm"
    return run(site, *arguments, prefix=(
        "unshare", flags, "sh", "-c", MOUNT, "sh", sysconfdir(),
        site.file("etc"), mode), **more)


def no_policies():
    """Why policies cannot be tried here, or None."""
    if not os.path.isdir(sysconfdir()):
        return f"there is no {sysconfdir()}"
    flags = "-m" if os.geteuid() == 0 else "-rm"
    try:
        tried = subprocess.run(
            ["unshare", flags, "mount", "-t", "tmpfs", "none", sysconfdir()],
            capture_output=True)
    except FileNotFoundError:
        return "unshare is not installed"
    return None if tried.returncode == 0 else "mounts cannot be made here"
