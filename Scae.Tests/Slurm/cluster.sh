#!/bin/bash
# A Slurm of one node with two tasks on loopback, for as long as a command runs: cluster.sh FOLDER COMMAND [WORD…].
# Needs Debian's slurm-wlm and munge (apt-get install --no-install-recommends slurm-wlm munge) and root. Exits with the
# command's code, or with 77 and a line that says why where Slurm can't start.
set -u
folder=$1
shift
cannot() { echo "$1"; exit 77; }
[[ $(id -u) == 0 ]] || cannot "Slurm's daemons need root"
for program in munged slurmctld slurmd sbatch scontrol squeue; do
    command -v "$program" >/dev/null || cannot "there is no $program; apt-get install --no-install-recommends slurm-wlm munge brings it"
done

mkdir -p "$folder/state" "$folder/spool" "$folder/log"
chmod 755 "$folder"

# Munge wants its folders to be its own and nobody else's, up to the root; a socket's path must be short.
munge=$(mktemp -d /run/scae-munge-XXXXXX)
dd if=/dev/urandom of="$munge/key" bs=1024 count=1 2>/dev/null
chmod 600 "$munge/key"
chmod 755 "$munge"
daemons=()
stop() {
    for process in "${daemons[@]}"; do kill "$process" 2>/dev/null; done
    for process in "${daemons[@]}"; do wait "$process" 2>/dev/null; done
    rm -rf "$munge"
}
trap stop EXIT

munged --foreground --force --key-file="$munge/key" --socket="$munge/socket" --pid-file="$munge/pid" \
    --log-file="$munge/log" --seed-file="$munge/seed" >"$folder/log/munged.txt" 2>&1 &
daemons+=($!)

export SLURM_CONF=$folder/slurm.conf
host=$(hostname -s)
cat >"$SLURM_CONF" <<CONF
ClusterName=scae
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=${SCAE_SLURM_PORT:-16817}
SlurmdPort=$((${SCAE_SLURM_PORT:-16817} + 1))
AuthType=auth/munge
# A requeued job isn't begun before its old credentials are void: two minutes by default, five seconds at least.
AuthInfo=socket=$munge/socket,cred_expire=5
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.txt
SlurmdLogFile=$folder/log/slurmd.txt
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=1
KillWait=5
ReturnToService=2
SlurmdParameters=config_overrides
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=short Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF

slurmctld -D -i >"$folder/log/slurmctld.out" 2>&1 &
daemons+=($!)
slurmd -D >"$folder/log/slurmd.out" 2>&1 &
daemons+=($!)
for ((i = 0; i < 150; i++)); do
    [[ $(sinfo -h -o %T 2>/dev/null) == idle ]] && break
    read -rt 0.2 <> <(:)
done
[[ $(sinfo -h -o %T 2>/dev/null) == idle ]] ||
    cannot "Slurm's node doesn't come up: $(tail -n 1 "$folder/log/slurmd.out" "$folder/log/slurmctld.out" | tr '\n' ' ')"

"$@"
