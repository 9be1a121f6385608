"""The lake's words for the service's: Graph writes enumerations its own way, hunting another.

A value that is not listed keeps its own spelling: nothing is lost to an unknown word.
"""

from typing import Final

ENTITY_TYPES: Final = {
    "processEvidence": "Process",
    "fileEvidence": "File",
    "ipEvidence": "Ip",
    "urlEvidence": "Url",
    "registryKeyEvidence": "RegistryKey",
    "registryValueEvidence": "RegistryValue",
    "userEvidence": "User",
    "deviceEvidence": "Machine",
}

SERVICE_SOURCES: Final = {
    "microsoftDefenderForEndpoint": "Microsoft Defender for Endpoint",
    "microsoftDefenderForIdentity": "Microsoft Defender for Identity",
    "microsoftDefenderForCloudApps": "Microsoft Defender for Cloud Apps",
    "microsoftDefenderForOffice365": "Microsoft Defender for Office 365",
    "microsoft365Defender": "Microsoft 365 Defender",
    "azureAdIdentityProtection": "AAD Identity Protection",
    "microsoftAppGovernance": "Microsoft App Governance",
    "dataLossPrevention": "Microsoft Data Loss Prevention",
    "microsoftDefenderForCloud": "Microsoft Defender for Cloud",
    "microsoftSentinel": "Microsoft Sentinel",
}

DETECTION_SOURCES: Final = {
    "microsoftDefenderForEndpoint": "EDR",
    "antivirus": "Antivirus",
    "smartScreen": "SmartScreen",
    "customTi": "Custom TI",
    "customDetection": "Custom detection",
    "automatedInvestigation": "Automated investigation",
    "microsoftThreatExperts": "Microsoft Threat Experts",
    "cloudAppSecurity": "Cloud App Security",
    **{name: SERVICE_SOURCES[name] for name in (
        "microsoftDefenderForIdentity", "microsoftDefenderForOffice365", "microsoft365Defender",
        "azureAdIdentityProtection", "microsoftDefenderForCloud", "microsoftSentinel",
    )},
}  # fmt: skip


def pascal(word: str | None) -> str | None:
    """Return an enumeration member as hunting and MDE spell it: `inProgress` as `InProgress`."""
    return word[:1].upper() + word[1:] if word else word


def entity_type(evidence_type: str) -> str:
    """Return hunting's entity type, or the type's own name."""
    return ENTITY_TYPES.get(evidence_type, evidence_type)
