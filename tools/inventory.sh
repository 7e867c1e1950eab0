#!/usr/bin/env bash
# Lists what a run of the labs could leave behind, without knowing any of its labels: run it before
# and after, and compare. Containers, networks, volumes and images are listed where an engine answers.
set -u

section() { printf '\n== %s\n' "$1"; }

section containers
docker ps --all --quiet --no-trunc 2>/dev/null | sort
section networks
docker network ls --quiet --no-trunc 2>/dev/null | sort
section volumes
docker volume ls --quiet 2>/dev/null | sort
section images
docker images --all --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}' 2>/dev/null | sort
section mounts
awk '{print $5, $9, $10}' /proc/self/mountinfo | sort
section "network namespaces"
ls /run/netns /run/docker/netns 2>/dev/null
section "network links"
ls /sys/class/net
section cgroups
find /sys/fs/cgroup -type d | sort
section "iptables rules"
{ iptables-save; ip6tables-save; } 2>/dev/null | grep -v '^#' | sed 's/\[[0-9:]*\]//'
section "nftables tables"
nft list tables 2>/dev/null
section "shared memory"
ls /dev/shm
awk 'NR > 1 {print $2, $4}' /proc/sysvipc/shm
section "sockets of shims, and what runtimes keep"
ls /run/containerd/s /run/runc /run/crun 2>/dev/null
section folders
ls -d /var/lib/isolation-labs* /run/isolation-labs* /tmp/isolation-labs* 2>/dev/null
section "what daemons make at their default places, wherever they keep their own"
find /etc/docker /opt/containerd /var/lib/docker/network/files 2>/dev/null | sort
section processes
# Kernel threads come and go; a process is told by its command line.
ps -eo ppid,args --no-headers | awk '$1 != 2 && $2 != "ps" {$1 = ""; print}' | sort
