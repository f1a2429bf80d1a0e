package main

const usage = `registrywatch knows what every image of a registry holds, and which advisories
concern it, without scanning anything twice.

    registrywatch run      watch; analyse each image once; say what changes
    registrywatch worker   analyse images for monitors that run with -nats
    registrywatch status   how many images there are, and what is wrong
    registrywatch events   what happened, as lines of JSON
    registrywatch dead     images that workers gave up, and why, as JSON
    registrywatch verify   compute again all that the store derives, and compare
    registrywatch compact  give room back that deleted things left

Flags of run
    -registry HOST,…    the registries to watch
    -repos PATTERN,…    repositories; * stands for part of a name between
                        slashes; default: all that the registry lists
    -db PATH            advisory database, made by imagescan db build, or a
                        directory of OSV exports; read again when it changes
    -store FILE         where all is remembered; made if it does not exist
    -cache DIR          keeps what was found in layers; default: in memory only
    -team LABEL         label of images that names who answers for them; default
                        org.opencontainers.image.authors
    -interval D         time between two looks at everything; default 15m
    -workers N          images analysed at once; default 2, with -nats 64: that
                        many are with workers, or wait for one
    -plain-http HOST,…  registries to speak to without TLS; loopback always may
    -once               look once at everything, and end
    -events FILE        append each event to a file as a line of JSON; - is
                        stdout
    -webhook URL        post each event as a CloudEvent
    -webhook-allow CIDR,…  networks that are not public and may get webhooks
    -listen ADDR        serve the status page /, /metrics, /healthz, /events,
                        /status.json and /hints; who reaches it may read all
    -q                  only warnings and errors in the log
    -nats URL,…         have workers analyse the images. Of several monitors
                        that watch the same, one does; another takes over within
                        20 seconds of its death. Events go to a stream, too
    -nats-replicas N    servers of the cluster that keep each message; default:
                        as the streams are, or 1 for new ones. Use 3

Flags of worker
    -nats URL,…         where the work comes from
    -registry HOST,…    the registries whose images it may fetch: all that the
                        monitor watches
    -workers N          images analysed at once; default 2
    -cache, -team, -plain-http, -q as of run; -listen serves /metrics, /healthz

Flags of whoever speaks to NATS: run, worker, dead
    -nats-name NAME     tells apart what shares the servers; default boltseal
    -nats-creds FILE    user credentials, as nsc makes them
    -nats-ca FILE       certificate authorities to trust instead of the system's
    -nats-cert FILE     a certificate to show, and
    -nats-key FILE      its key

Flags of the others
    -store FILE         the store; or, while a monitor runs,
    -url URL            of its -listen address, for status and events
    -json               status as JSON
    -since N            events after the one with sequence N; default 0
    -db PATH            verify: compare the findings with this database, too

Environment
    REGISTRYWATCH_WEBHOOK_SECRET  signs webhooks: base64, as of openssl rand
                                  -base64 32; two, old and new, while it changes
    REGISTRYWATCH_NATS            the default of -nats: it may hold a password
    REGISTRYWATCH_NATS_KEY        seals jobs and results: who does not have it
                                  is not believed; at least 16 bytes, as of
                                  openssl rand -hex 32; the same for monitors
                                  and workers
    REGISTRYWATCH_HINT_SECRET     the Authorization header that registries send
                                  with notifications to /hints

Exit status
    0  all went well; a watch or a worker that was interrupted, too
    1  verify: the store is not what it should be
    2  wrong usage
    3  something failed; run -once: something could not be looked at
`
