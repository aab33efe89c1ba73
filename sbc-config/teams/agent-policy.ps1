<#
  Makes the calling policy for agents: whatever an agent sets, a call of a queue rings at the agent's Teams and nowhere else.
  Run it as a Teams administrator, after Connect-MicrosoftTeams. It may be run again: the policy is then set to what stands here.

  - no voicemail: an unanswered call must come back to the queue, and a signed-out agent must not answer with a mailbox
  - no forwarding, no call groups, no delegates: nobody else takes the call
  - busy on busy: a second call is refused at once, and the caller keeps the place in the queue
  - calls from outside ring as usual; whatever else is set there never reaches the agent
#>
[CmdletBinding(SupportsShouldProcess)]
param([string] $Policy = 'Sidekick Agents')

$ErrorActionPreference = 'Stop'

$settings = @{
  Identity                       = $Policy
  AllowPrivateCalling            = $true
  AllowVoicemail                 = 'AlwaysDisabled'
  AllowCallForwardingToUser      = $false
  AllowCallForwardingToPhone     = $false
  AllowCallGroups                = $false
  AllowDelegation                = $false
  BusyOnBusyEnabledType          = 'Enabled'
  InboundPstnCallRoutingTreatment = 'RegularIncoming'
}

if (Get-CsTeamsCallingPolicy | Where-Object Identity -EQ "Tag:$Policy") {
  if ($PSCmdlet.ShouldProcess($Policy, 'Set-CsTeamsCallingPolicy')) { Set-CsTeamsCallingPolicy @settings }
}
elseif ($PSCmdlet.ShouldProcess($Policy, 'New-CsTeamsCallingPolicy')) { New-CsTeamsCallingPolicy @settings | Out-Null }

Get-CsTeamsCallingPolicy -Identity $Policy |
  Format-List Identity, AllowVoicemail, AllowCallForwardingToUser, AllowCallForwardingToPhone, AllowCallGroups, AllowDelegation,
    BusyOnBusyEnabledType, InboundPstnCallRoutingTreatment
