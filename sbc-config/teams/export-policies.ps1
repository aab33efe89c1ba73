<#
  Writes what `sidekick teams check-policies` reads: users with a number, their own calling settings, and the calling policies.
  It changes nothing. Run it after Connect-MicrosoftTeams.

    ./export-policies.ps1 -OutFile policies.json
    sidekick teams check-policies policies.json --agents
#>
[CmdletBinding()]
param(
  [string] $OutFile = 'policies.json',
  # Only these users; default: everybody who has a number.
  [string[]] $Upn
)

$ErrorActionPreference = 'Stop'

$users = if ($Upn) { $Upn | ForEach-Object { Get-CsOnlineUser -Identity $_ } }
else { Get-CsOnlineUser -Filter 'LineUri -ne $null' }

$settings = foreach ($user in $users) {
  $own = Get-CsUserCallingSettings -Identity $user.Identity
  [pscustomobject]@{
    Identity             = $user.Identity
    SipUri               = $own.SipUri
    IsForwardingEnabled  = $own.IsForwardingEnabled
    ForwardingType       = "$($own.ForwardingType)"
    ForwardingTargetType = "$($own.ForwardingTargetType)"
    IsUnansweredEnabled  = $own.IsUnansweredEnabled
    UnansweredDelay      = "$($own.UnansweredDelay)"
    UnansweredTargetType = "$($own.UnansweredTargetType)"
  }
}

# Names instead of objects: what a policy is called is all that is compared.
$people = $users | ForEach-Object {
  [pscustomobject]@{
    UserPrincipalName         = $_.UserPrincipalName
    Identity                  = $_.Identity
    SipAddress                = $_.SipAddress
    LineUri                   = $_.LineUri
    AccountEnabled            = $_.AccountEnabled
    EnterpriseVoiceEnabled    = $_.EnterpriseVoiceEnabled
    TeamsUpgradeEffectiveMode = "$($_.TeamsUpgradeEffectiveMode)"
    FeatureTypes              = @($_.FeatureTypes | ForEach-Object { "$_" })
    TeamsCallingPolicy        = "$($_.TeamsCallingPolicy)"
    OnlineVoiceRoutingPolicy  = "$($_.OnlineVoiceRoutingPolicy)"
  }
}

$policies = Get-CsTeamsCallingPolicy | Select-Object Identity, AllowPrivateCalling, AllowVoicemail, AllowCallForwardingToUser,
  AllowCallForwardingToPhone, AllowCallGroups, AllowDelegation, BusyOnBusyEnabledType, InboundPstnCallRoutingTreatment

[pscustomobject]@{ users = @($people); callingSettings = @($settings); callingPolicies = @($policies) } |
  ConvertTo-Json -Depth 5 | Set-Content -Path $OutFile -Encoding utf8
Write-Output "$(@($people).Count) users, $(@($policies).Count) calling policies: $OutFile"
