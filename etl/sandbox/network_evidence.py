"""Network evidence: items about names, connections, sessions, domains, things and malware."""

from etl.sandbox import cloud_evidence, moments
from etl.sandbox.evidence import Item
from etl.sandbox.maker import Maker


def domain(make: Maker) -> Item:
    """Show a domain and one that it trusts."""
    trusted = make.item("activeDirectoryDomainEvidence", trustedDomains=[],
                        activeDirectoryDomainName="fabrikam.local")  # fmt: skip
    return make.item("activeDirectoryDomainEvidence", trustedDomains=[trusted],
                     activeDirectoryDomainName="contoso.local")  # fmt: skip


def dns(make: Maker) -> Item:
    """Show a name, who asked for it, who answered and what."""
    return make.item(
        "dnsEvidence", dnsServerIp=make.ip("10.0.0.53"),
        domainName=f"{make.hexadecimal(24)}.tunnel.example.net",
        hostIpAddress=make.ip(make.device.address), ipAddresses=[make.ip(), make.ip()],
    )  # fmt: skip


def connection(make: Maker) -> Item:
    """Show a connection by its ends."""
    return make.item(
        "networkConnectionEvidence", destinationAddress=make.ip(), destinationPort=8443,
        protocol="tcp", sourceAddress=make.ip(make.device.address),
        sourcePort=make.random.randrange(49_152, 65_536),
    )  # fmt: skip


def card(make: Maker) -> Item:
    """Show a network card."""
    return make.item("nicEvidence", ipAddress=make.ip("10.7.0.12"), vlans=["OT-7", "4094"],
                     macAddress=make.hexadecimal(12).upper())  # fmt: skip


def thing(make: Maker) -> Item:
    """Show a device that is no computer, with its cards and the hub that knows it."""
    nic = card(make)
    return make.item(
        "ioTDeviceEvidence", deviceId=make.guid(), deviceName="PLC line 3",
        devicePageLink="https://portal.example/devices/plc-3", deviceSubType="PLC",
        deviceType="Industrial", importance="high", ioTHub=cloud_evidence.azure_resource(make),
        ioTSecurityAgentId=make.guid(), ipAddress=make.ip("10.7.0.12"), isAuthorized=True,
        isProgramming=False, isScanner=False, macAddress=nic["macAddress"],
        manufacturer="Fabrikam", model="FX-200", nics=[nic], operatingSystem="VxWorks",
        owners=["plant@contoso.example"], protocols=["Modbus", "S7"], purdueLayer="Level 1",
        sensor="sensor-3", serialNumber=make.hexadecimal(10), site="Plant north",
        source="sensor-3", sourceRef=make.url(), zone="Line 3",
    )  # fmt: skip


def host_logon_session(make: Maker) -> Item:
    """Show a session on a host, and whose it is."""
    return make.item(
        "hostLogonSessionEvidence", account=make.user(), endUtcDateTime=None, host=make.machine(),
        sessionId=str(make.random.randrange(10**6)), startUtcDateTime=make.time(moments.DAY),
    )  # fmt: skip


def malware(make: Maker) -> Item:
    """Show malware with its files and its processes."""
    return make.item("malwareEvidence", category="Trojan", files=[make.file(), make.file()],
                     name="Trojan:Win32/Lunar.A!ml", processes=[make.process()])  # fmt: skip


BUILDERS = (domain, dns, connection, card, thing, host_logon_session, malware)
"""One for each type told here."""
