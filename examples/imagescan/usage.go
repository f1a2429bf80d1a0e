package main

const usage = `imagescan tells what is in a container image, and what is wrong with it.

    imagescan [flags] [IMAGE]          scan an image; without IMAGE, a demo
    imagescan db build -from DIR|URL   build the advisory database
    imagescan db status                what it holds, and how old it is

IMAGE is one of
    debian:12, ghcr.io/me/app@sha256:…  from a registry; also registry:debian:12
    oci:DIR[:REF]                       an OCI image layout
    oci-archive:FILE[:REF]              the same in a tar file
    docker-archive:FILE[:REF]           what docker save writes
    docker:NAME                         from the local Docker daemon
    dir:DIR                             a root file system

Flags
    -o FORMAT[=FILE]     table (default), json, html, sarif, cyclonedx, spdx;
                         may be given several times, without FILE to stdout
    -layers              draw the layers in the table
    -secrets=false       do not look for credentials in layers, configuration
                         and history
    -fail-on SEVERITY    exit with 1 if a finding is at or above: low, medium,
                         high, critical, or unknown for any finding at all
    -unrated SEVERITY    how -fail-on counts a finding without a rating;
                         default critical, as it may be anything
    -platform OS/ARCH    which of several to take: linux/arm64, linux/arm/v7
    -db PATH             advisory database, or a directory of OSV exports;
                         default: the user's cache, else the built-in snapshot
    -cache DIR           keeps what was found in layers, so that an image that
                         shares them is not read again; default: the user's
                         cache, -cache= keeps nothing
    -q                   no progress and no remarks on stderr
    -h                   this text

Exit status
    0  nothing is at or above -fail-on
    1  something is
    2  wrong usage
    3  the scan failed or is incomplete: what it did not see may still be there;
       the demo, which shows what that looks like, ends with 0

Examples
    imagescan -layers debian:12
    imagescan -o html=report.html -o cyclonedx=sbom.json oci-archive:app.tar
    imagescan -q -fail-on high -o sarif=scan.sarif ghcr.io/me/app:1.4
`

const usageBuild = `imagescan db build makes the advisory database out of OSV exports.

    imagescan db build -from DIR|URL [-from …] [-o FILE]

Flags
    -from DIR|URL   exports as OSV.dev publishes them, <Ecosystem>/all.zip under
                    a directory or a URL; may be given several times
    -o FILE         the database; default: advisories.db in the user's cache,
                    where every scan finds it
    -kev FILE       CISA's catalogue of exploited vulnerabilities, JSON
    -epss FILE      FIRST's probabilities of exploitation, CSV; both may be .gz
    -q              no progress and no remarks on stderr

Examples
    imagescan db build -from https://osv-vulnerabilities.storage.googleapis.com
    imagescan db build -from osv/ -kev kev.json.gz -epss epss.csv.gz -o team.db
`

const usageStatus = `imagescan db status tells what the advisory database holds.

    imagescan db status [-db FILE]

Without -db it looks where a scan does: in the user's cache, else at the
snapshot inside the program.
`

const usageDB = `imagescan db builds the advisory database, and tells what it holds.

    imagescan db build -from DIR|URL [-o FILE]
    imagescan db status [-db FILE]

Each has its own -h.
`
