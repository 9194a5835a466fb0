"""Every table, figure and report in results/ is made by a rule below.

snakemake --cores all                        the laptop scale of the studies of the three questions
snakemake --cores all claims                 and of those that test the sources' other claims
snakemake --cores all --config scale=smoke   every study, a few seconds a run; scale=paper is the real thing
snakemake --cores all --config studies=staleness
snakemake --cores all agree                  replays what a recorded schedule determines
snakemake --cores all showcase               what of the results a repository can hold
snakemake --cores all bench                  how fast this commit is on this machine
"""

import shlex
import sys

from snakemake.utils import min_version

from a3c.analysis.method import PARTS
from a3c.fingerprint import ANALYSIS_CODE, MEASURING_CODE, fingerprint
from a3c.peers import PEER_ID
from a3c.workflow import load_or_exit

min_version("9.0")

# The jobs run with the Python that runs Snakemake, activated or not.
PYTHON = shlex.quote(sys.executable)
WORKFLOW = load_or_exit(config, "experiments", "results")
CORES = (
    workflow.resource_settings.cores
)  # None on a cluster, where a timing has a node to itself


wildcard_constraints:
    game="|".join(map(re.escape, WORKFLOW.games())),
    id=r"[a-z]+(-batched)?-w\d+-[0-9a-f]{10}",
    seed=r"\d+",


# One process shows all runs in MLflow while they train, and ends with this one; rule track makes sure of it afterwards.
onstart:
    WORKFLOW.begin()
    shell(
        "setsid {PYTHON} -m a3c track --watch $PPID > results/track.log 2>&1 < /dev/null &"
    )


onerror:
    print(WORKFLOW.last_words(), file=sys.stderr)


rule all:
    input:
        WORKFLOW.products(WORKFLOW.targets[0]),
    localrule: True


# The claims that fast games can test, as well.
rule claims:
    input:
        WORKFLOW.products(WORKFLOW.targets[-1]),
    localrule: True


# `done.json` is the one declared output: Snakemake deletes declared outputs before a job starts. A run is trained again
# if its resolved settings or the training code's meaning change (params), or if it draws from the staleness of another
# run and that was trained again (input), and for nothing else. A signal to all processes at once, such as Ctrl-C, must
# leave the shell and the log alone while the trainer makes its last checkpoint: Snakemake waits for the shell, and a
# trainer that cannot write any more fails. Hence the traps.
rule train:
    input:
        WORKFLOW.sources,
    output:
        "results/runs/{game}/{id}/seed{seed}/done.json",
    log:
        "results/runs/{game}/{id}/seed{seed}/train.log",
    threads: WORKFLOW.threads(CORES)
    resources:
        conditions=WORKFLOW.conditions,
        plan=WORKFLOW.plan,
        mem_mb=WORKFLOW.megabytes,
        runtime=WORKFLOW.minutes,
        gres=WORKFLOW.gres,
        slurm_extra=WORKFLOW.exclusive,
    params:
        settings=WORKFLOW.settings,
        code=WORKFLOW.code,
    shell:
        "trap : HUP INT TERM; {WORKFLOW.a3c} train --settings {params.settings:q} --into $(dirname {output})"
        " {resources.conditions} --no-track 2>&1 | (trap '' HUP INT TERM; exec tee {log} >&2)"
        " && {WORKFLOW.a3c} progress {resources.plan}"


# The same for another project's program, by a script of its own; the peer's name stands in the id of its runs.
rule train_peer:
    output:
        "results/runs/{game}/{id}/seed{seed}/done.json",
    log:
        "results/runs/{game}/{id}/seed{seed}/train.log",
    wildcard_constraints:
        id=PEER_ID,
    threads: WORKFLOW.threads(CORES)
    resources:
        conditions=WORKFLOW.conditions,
        plan=WORKFLOW.plan,
        mem_mb=WORKFLOW.megabytes,
        runtime=WORKFLOW.minutes,
        slurm_extra=WORKFLOW.exclusive,
    params:
        script=WORKFLOW.script,
        settings=WORKFLOW.settings,
        code=WORKFLOW.peer_code,
    shell:
        "trap : HUP INT TERM; {PYTHON} {params.script} --settings {params.settings:q} --into $(dirname {output})"
        " {resources.conditions} {WORKFLOW.stop_with} 2>&1 | (trap '' HUP INT TERM; exec tee {log} >&2)"
        " && {WORKFLOW.a3c} progress {resources.plan}"


for target in WORKFLOW.targets:

    rule:
        name:
            f"track_{target.name}"
        input:
            [WORKFLOW.finished(study) for study in target.studies],
            WORKFLOW.report(target),  # comes last: a store that is away keeps nothing from being made
        output:
            touch(WORKFLOW.tracked(target)),
        log:
            f"results/logs/{WORKFLOW.scale}/track_{target.name}.log",
        localrule: True
        shell:
            "{WORKFLOW.a3c} track > {log} 2>&1"

    rule:
        name:
            f"claims_{target.name}"
        input:
            WORKFLOW.claimed(target),
        output:
            WORKFLOW.ledger(target),
        log:
            f"results/logs/{WORKFLOW.scale}/claims_{target.name}.log",
        localrule: True
        params:
            studies=[study.name for study in target.studies],
            name=target.name,
            code=fingerprint(ANALYSIS_CODE),
        shell:
            "{WORKFLOW.a3c} claims {params.studies} --scale {WORKFLOW.scale} --name {params.name} > {log} 2>&1"

    rule:
        name:
            f"films_{target.name}"
        input:
            [WORKFLOW.finished(study) for study in target.studies],
        output:
            WORKFLOW.films(target),
        log:
            f"results/logs/{WORKFLOW.scale}/films_{target.name}.log",
        localrule: True
        params:
            studies=[study.name for study in target.studies],
            name=target.name,
        shell:
            "{WORKFLOW.a3c} films {params.studies} --scale {WORKFLOW.scale} --name {params.name} > {log} 2>&1"

    rule:
        name:
            f"report_{target.name}"
        input:
            WORKFLOW.summary(target),
            WORKFLOW.ledger(target),
            WORKFLOW.films(target),
            [
                WORKFLOW.tables(study) + WORKFLOW.figures(study)
                for study in target.studies
            ],
        output:
            report(WORKFLOW.report(target), category="Report"),
        log:
            f"results/logs/{WORKFLOW.scale}/report_{target.name}.log",
        localrule: True
        params:
            studies=[study.name for study in target.studies],
            name=target.name,
            mixing=WORKFLOW.mixing,
            code=fingerprint(ANALYSIS_CODE),
        shell:
            "{WORKFLOW.a3c} report {params.studies} --scale {WORKFLOW.scale} --name {params.name} {params.mixing}"
            " > {log} 2>&1"


# The answers of three studies in one figure, where a target has any of them.
for target in WORKFLOW.summarized:

    rule:
        name:
            f"summary_{target.name}"
        input:
            WORKFLOW.summary_tables(target),
        output:
            WORKFLOW.summary(target, "png", "pdf"),
            report(WORKFLOW.summary(target, "svg"), category="Report"),
        log:
            f"results/logs/{WORKFLOW.scale}/summary_{target.name}.log",
        localrule: True
        params:
            studies=[study.name for study in target.studies],
            name=target.name,
            code=fingerprint(ANALYSIS_CODE),
        shell:
            "{WORKFLOW.a3c} summary {params.studies} --scale {WORKFLOW.scale} --name {params.name} > {log} 2>&1"


# What of the results a repository can hold, in results/showcase/.
rule showcase:
    input:
        WORKFLOW.products(WORKFLOW.targets[-1]),
    output:
        f"results/showcase/{WORKFLOW.targets[-1].name}/README.md",
    log:
        f"results/logs/{WORKFLOW.scale}/showcase.log",
    localrule: True
    params:
        studies=[study.name for study in WORKFLOW.targets[-1].studies],
        name=WORKFLOW.targets[-1].name,
        mixing=WORKFLOW.mixing,
    shell:
        "{WORKFLOW.a3c} showcase {params.studies} --scale {WORKFLOW.scale} --name {params.name} {params.mixing}"
        " > {log} 2>&1"


# How fast this commit is on this machine; it takes the whole of it.
rule bench:
    output:
        WORKFLOW.benchmark("json"),
        report(WORKFLOW.benchmark("svg"), category="Speed"),
        WORKFLOW.benchmark("png"),
        WORKFLOW.benchmark("pdf"),
    log:
        f"results/logs/bench.log",
    threads: CORES or 1
    shell:
        "{WORKFLOW.a3c} bench --into {output[0]} > {log} 2>&1"


# Fails unless the run is made again byte for byte from its settings, seeds and recorded schedule.
rule replay:
    input:
        "results/runs/{game}/{id}/seed{seed}/done.json",
    output:
        "results/replays/{game}/{id}/seed{seed}/agreement.json",
    log:
        "results/logs/replays/{game}/{id}/seed{seed}.log",
    shell:
        "{WORKFLOW.a3c} replay $(dirname {input}) --into $(dirname {output}) > {log} 2>&1"


# How alike consecutive updates are, measured while the run is made again from its record.
rule measure:
    input:
        "results/runs/{game}/{id}/seed{seed}/done.json",
    output:
        "results/measurements/{game}/{id}/seed{seed}/correlations.csv",
    log:
        "results/logs/measurements/{game}/{id}/seed{seed}.log",
    params:
        code=fingerprint(MEASURING_CODE),
    shell:
        "{WORKFLOW.a3c} measure $(dirname {input}) --into {output} > {log} 2>&1"


rule agree:
    input:
        WORKFLOW.agreements(),
    localrule: True


for study in WORKFLOW.studies:

    rule:
        name:
            f"tables_{study.name}"
        input:
            WORKFLOW.made_of(study),
        output:
            WORKFLOW.tables(study),
        log:
            f"results/logs/{study.scale}/tables_{study.name}.log",
        localrule: True
        params:
            study=study.name,
            title=study.title,
            question=study.question,
            asked=WORKFLOW.asked(study),
            mixing=WORKFLOW.mixing,
            code=fingerprint(ANALYSIS_CODE),
        shell:
            "{WORKFLOW.a3c} tables {params.study} --scale {WORKFLOW.scale} {params.mixing} 2>&1 | tee {log} >&2"

    rule:
        name:
            f"figures_{study.name}"
        input:
            WORKFLOW.tables(study),
        output:
            WORKFLOW.figures(study, "png", "pdf"),
            report(
                WORKFLOW.figures(study, "svg"),
                caption="experiments/captions/figure.rst",
                category=PARTS[study.part],
                subcategory=study.title,
            ),
        log:
            f"results/logs/{study.scale}/figures_{study.name}.log",
        localrule: True
        params:
            study=study.name,
            question=study.question,
            code=fingerprint(ANALYSIS_CODE),
        shell:
            "{WORKFLOW.a3c} figures {params.study} --scale {WORKFLOW.scale} > {log} 2>&1"
