package main

const usage = `clusteraudit tells who may do what in a Kubernetes cluster, and what is wrong
with it.

    clusteraudit [flags] PATH               audit manifests: a file, a folder,
                                            - for stdin
    clusteraudit [flags] -kubeconfig FILE   audit a running cluster
    clusteraudit who-can VERB RESOURCE PATH
                                  who may: who-can get secrets -n shop dir/
    clusteraudit what-can SUBJECT PATH
                                  what may: what-can shop/web dir/
    clusteraudit paths [-from P] [-to P] PATH
                                  how a small right becomes a large one
    clusteraudit allowlist init PATH
                                  a list of what is granted today
    clusteraudit allowlist check -list FILE PATH
                                  what the list and the cluster differ in
    clusteraudit role [-only NS] [-configmaps]
                                  the ClusterRole that -kubeconfig needs with
                                  the same flags

RESOURCE is RESOURCE[.GROUP][/SUBRESOURCE] as in deployments.apps or pods/exec,
or a path such as /metrics. SUBJECT is NS/NAME for a service account, User:NAME,
Group:NAME or anonymous. P is a subject, workload:NS/KIND/NAME, node:NAME,
secrets:NS, admin:NS or cluster-admin.

Flags
    -kubeconfig FILE     a running cluster, by its current context
    -only NS[,NS]        of a running cluster these namespaces alone; what lies
                         in none is unknown
    -configmaps          of a running cluster read all ConfigMaps, and look for
                         credentials in them
    -complete            the manifests hold everything there is: what they do
                         not hold does not exist; without it, that is unknown
    -namespace NS        of manifests that name none; default "default"
    -minor N             rules of Kubernetes 1.N; default 36
    -o FORMAT[=FILE]     table (default), json, html, sarif; may be given
                         several times, without FILE to stdout
    -fail-on SEVERITY    exit with 1 if a finding is at or above: none, low,
                         medium, high, critical
    -checks LIST         only these: W05, a family (W, I, K, H, X, A, C, R, D),
                         * for all, -X to leave out
    -registry NAME       where images may come from; may be given several times;
                         without it, I03 is unknown
    -trusted FILE        images whose signature was checked elsewhere: a digest
                         a line; without it, I07 is unknown
    -waivers FILE        failures that are excused, each with a reason and a day
    -pod-security LEVEL  what the API server enforces where no label says so
    -q                   no remarks on stderr
    -h                   this text
  who-can
    -n NAMESPACE         in one namespace; default: across the cluster
    -name NAME           one object
  paths
    -from, -to P         default: everybody, cluster-admin
    -limit N             how many to show; default 20
    -cut                 the least to remove that ends them all

  allowlist check
    -list FILE           the list, as init wrote it and people mended it
    -waived              show what the list waives, too

Exit status
    0  nothing is at or above -fail-on; a question is answered
    1  something is; a question is answered with none; the list differs
    2  wrong usage
    3  the audit failed or is incomplete: a document or a kind was not read
`
