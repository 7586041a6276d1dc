# A fabfile of Fabric 1 that does what the five commands do; the benchmark fills in the names.
@FABRIC@
SHOP = {
@NAMES@}

def asked(line):
    with settings(host_string="deploy@@ADDRESS@:@PORT@", parallel=False), hide("everything"):
        return run("echo '%s' | socat stdio @SOCKET@" % line, pty=False)

def states():
    rows = [line.split() for line in asked("show servers state bk_web").splitlines()]
    return dict((row[3], int(row[6])) for row in rows if len(row) > 6 and row[1] == "bk_web")

def put(names, state):
    asked(";".join("set server bk_web/%s state %s" % (name, state) for name in names))

def of(group):
    return [name for name in SHOP if SHOP[name][1] == group]

@task
@runs_once
def only(group):
    put(of(group), "ready")
    put([name for name in SHOP if name not in of(group)], "maint")

@task
@runs_once
def flip():
    now = states()
    only("group1" if any(now[name] & 1 for name in of("group1")) else "group2")

@task
@runs_once
def all():
    put(SHOP, "ready")

@task
@runs_once
def out():
    now = states()
    env.hosts = [SHOP[name][0] for name in SHOP if now[name] & 1]

@task
@runs_once
def deploy():
    tag = local("git tag --sort=-v:refname | head -1", capture=True)
    commit = local("git rev-parse --short=12 %s^{commit}" % tag, capture=True)
    local("git archive --format=tar.gz -o @TMP@/%s.tgz %s" % (tag, tag))
    execute(push, tag, "%s-%s" % (tag, commit))

@parallel
def push(tag, name):
    to = "/srv/shop/releases/%s" % name
    run("mkdir -p %s" % to, pty=False)
    operations_put("@TMP@/%s.tgz" % tag, "/srv/shop/%s.tgz" % tag)
    run("tar xzf /srv/shop/%s.tgz -C %s && ln -sfn %s /srv/shop/next && mv -T /srv/shop/next /srv/shop/current && lab-service restart shop" % (tag, to, to), pty=False)
