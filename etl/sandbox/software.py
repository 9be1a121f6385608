"""Software: the images that run on each platform, and which starts which.

A catalogue only: no process and no event belongs here.
"""

import hashlib
from dataclasses import dataclass

MICROSOFT = "Microsoft Corporation"
_SYS = "C:\\Windows\\System32\\"
_OFFICE = "C:\\Program Files\\Microsoft Office\\root\\Office16\\"


@dataclass(frozen=True, slots=True)
class Image:
    """One executable file; `path` ends in its name, in the platform's own manner."""

    path: str
    company: str | None = None
    product: str | None = None
    arguments: str = ""

    @property
    def name(self) -> str:
        """Return the file's name."""
        return self.path.replace("\\", "/").rpartition("/")[2]

    @property
    def folder(self) -> str:
        """Return the directory, as alert evidence shows it."""
        return self.path[: -len(self.name) - 1] or "/"

    @property
    def size(self) -> int:
        """Return a size in bytes, always the same for the same path."""
        return 20_000 + int(self.digest("md5")[:6], 16)

    def digest(self, algorithm: str) -> str:
        """Return a made-up hash, always the same for the same path."""
        return hashlib.new(algorithm, self.path.lower().encode()).hexdigest()

    @property
    def command(self) -> str:
        """Return the usual command line."""
        quoted = f'"{self.path}"' if " " in self.path else self.path
        return f"{quoted} {self.arguments}".rstrip()


def _windows(name: str, arguments: str = "", folder: str = _SYS) -> Image:
    return Image(folder + name, MICROSOFT, "Microsoft® Windows® Operating System", arguments)


IMAGES: dict[str, tuple[Image, ...]] = {
    "windows": (
        _windows("wininit.exe"),
        _windows("services.exe"),
        _windows("lsass.exe"),
        _windows("winlogon.exe"),
        _windows("svchost.exe", "-k netsvcs -p -s Schedule"),
        _windows("spoolsv.exe"),
        _windows("explorer.exe", folder="C:\\Windows\\"),
        Image("C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.26100\\MsMpEng.exe",
              MICROSOFT, "Microsoft Defender Antivirus"),
        Image("C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe", "Google LLC",
              "Google Chrome", "--type=renderer --lang=en-GB"),
        Image("C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe", MICROSOFT,
              "Microsoft Edge", "--type=utility --lang=en-GB"),
        Image(_OFFICE + "OUTLOOK.EXE", MICROSOFT, "Microsoft Outlook"),
        Image(_OFFICE + "WINWORD.EXE", MICROSOFT, "Microsoft Office", "/n /dde"),
        Image(_OFFICE + "EXCEL.EXE", MICROSOFT, "Microsoft Office", "/dde"),
        _windows("cmd.exe", "/c ver"),
        _windows("powershell.exe", "-NoLogo -File C:\\Scripts\\inventory.ps1",
                 _SYS + "WindowsPowerShell\\v1.0\\"),
        _windows("conhost.exe", "0xffffffff -ForceV1"),
        _windows("WmiPrvSE.exe", "-secured -Embedding", _SYS + "wbem\\"),
        _windows("taskhostw.exe", "SYSTEM"),
        _windows("dllhost.exe", "/Processid:{AB8902B4-09CA-4BB6-B78D-A8F59079A8D5}"),
        _windows("RuntimeBroker.exe", "-Embedding"),
        _windows("whoami.exe", "/groups"),
        _windows("ipconfig.exe", "/all"),
        Image("C:\\Program Files\\Git\\cmd\\git.exe", "The Git Development Community", "Git",
              "fetch origin"),
        Image("C:\\Users\\Public\\Tools\\7z.exe", "Igor Pavlov", "7-Zip", "a backup.7z docs"),
    ),
    "linux": tuple(
        Image(path, arguments=arguments)
        for path, arguments in (
            ("/usr/lib/systemd/systemd", "--system --deserialize 31"), ("/usr/sbin/sshd", "-D"),
            ("/usr/sbin/cron", "-f"), ("/usr/bin/bash", ""), ("/usr/bin/python3.12", "job.py"),
            ("/usr/bin/curl", "-fsS http://127.0.0.1:8080/health"), ("/usr/bin/dash", "-c true"),
            ("/usr/sbin/nginx", "-g daemon off;"), ("/usr/bin/grep", "-q ready"),
            ("/usr/bin/sleep", "30"), ("/usr/bin/cat", "/proc/loadavg"), ("/usr/bin/sudo", "-n ls"),
        )
    ),
    "macos": tuple(
        Image(path, arguments=arguments)
        for path, arguments in (
            ("/sbin/launchd", ""), ("/usr/libexec/xpcproxy", "com.apple.mdworker.shared"),
            ("/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal", ""),
            ("/bin/zsh", "-l"), ("/usr/bin/ssh", "build-host"), ("/usr/bin/curl", "-I example.org"),
            ("/Applications/Firefox.app/Contents/MacOS/firefox", "-foreground"),
            ("/usr/bin/python3", "sync.py"), ("/bin/ls", "-la"),
            ("/usr/sbin/mdworker_shared", "-s"),
        )
    ),
}  # fmt: skip
"""Every image by platform; the first is the root of all processes."""

ROOTS: dict[str, tuple[tuple[str, str], ...]] = {
    "windows": (
        ("wininit.exe", ""), ("services.exe", "wininit.exe"), ("lsass.exe", "wininit.exe"),
        ("winlogon.exe", ""), ("svchost.exe", "services.exe"), ("svchost.exe", "services.exe"),
        ("spoolsv.exe", "services.exe"), ("MsMpEng.exe", "services.exe"),
        ("explorer.exe", "winlogon.exe"),
    ),
    "linux": (("systemd", ""), ("sshd", "systemd"), ("cron", "systemd"), ("nginx", "systemd")),
    "macos": (("launchd", ""), ("Terminal", "launchd"), ("zsh", "Terminal"),
              ("firefox", "launchd")),
}  # fmt: skip
"""Long-running processes of a device in starting order, each with its parent's name."""

CHILDREN: dict[str, dict[str, str]] = {
    "windows": {
        "services.exe": "svchost.exe",
        "svchost.exe": "WmiPrvSE.exe taskhostw.exe dllhost.exe RuntimeBroker.exe svchost.exe",
        "explorer.exe": "chrome.exe msedge.exe OUTLOOK.EXE WINWORD.EXE EXCEL.EXE cmd.exe "
        "powershell.exe git.exe 7z.exe chrome.exe chrome.exe",
        "chrome.exe": "chrome.exe",
        "msedge.exe": "msedge.exe",
        "OUTLOOK.EXE": "msedge.exe WINWORD.EXE EXCEL.EXE",
        "cmd.exe": "conhost.exe whoami.exe ipconfig.exe git.exe",
        "powershell.exe": "conhost.exe whoami.exe ipconfig.exe",
        "taskhostw.exe": "powershell.exe cmd.exe",
    },
    "linux": {
        "systemd": "python3.12 bash dash",
        "sshd": "bash",
        "cron": "dash",
        "bash": "python3.12 curl grep sleep cat sudo",
        "dash": "curl grep sleep cat",
        "python3.12": "curl grep",
    },
    "macos": {
        "launchd": "xpcproxy mdworker_shared",
        "zsh": "ssh curl python3 ls",
        "firefox": "firefox",
        "xpcproxy": "mdworker_shared",
        "python3": "curl ls",
    },
}
"""What each image usually starts, by platform; a repeated name is that much more likely."""
