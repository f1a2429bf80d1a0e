package secrets

import (
	"bytes"
	"encoding/base64"
)

func chatFamilies() []Rule {
	const slack = "https://api.slack.com/apps: the app > OAuth & Permissions"
	return []Rule{
		{ID: "slack-bot", Provider: "Slack", Title: "Slack bot token", Program: `"xoxb-" d10..13 "-" d10..13 "-" w18..64`, Revoke: slack},
		{ID: "slack-user", Provider: "Slack", Title: "Slack user token", Program: `"xoxp-" d8..13 "-" d8..13 "-" d8..13 "-" w6..64`, Revoke: slack},
		{ID: "slack-app", Provider: "Slack", Title: "Slack app-level token", Program: `"xapp-" d "-" w8..16 "-" d8..20 "-" w30..128`, Revoke: slack},
		{ID: "slack-config", Provider: "Slack", Title: "Slack configuration token", Program: `("xoxe.xoxp-"|"xoxe.xoxb-") d "-" w160..400`, Revoke: slack},
		{ID: "slack-refresh", Provider: "Slack", Title: "Slack configuration refresh token", Program: `"xoxe-" d "-" w140..400`, Revoke: slack},
		{ID: "slack-browser", Provider: "Slack", Title: "Slack browser session", Program: `"xoxc-" d9..13 "-" d9..13 "-" d9..13 "-" x64|"xoxd-" [0-9A-Za-z%+/=_-]100..500`, Revoke: "Slack: sign out of all sessions"},
		{ID: "slack-legacy", Provider: "Slack", Title: "Slack legacy token", Program: `("xoxa-"|"xoxr-"|"xoxs-"|"xoxo-") [0-9A-Za-z-]10..80`, Refine: varied(false), Revoke: slack},
		{ID: "slack-workflow", Provider: "Slack", Title: "Slack workflow token", Program: `"xwfp-" [0-9A-Za-z-]10..80`, Severity: low, Refine: varied(false), Revoke: "it expires a quarter of an hour after it was made"},
		{ID: "slack-webhook", Provider: "Slack", Title: "Slack incoming webhook", Program: `"hooks.slack.com/services/" {"T" N7..12 "/B" N7..12 "/" w24}` +
			`|"hooks.slack.com/workflows/" {"T" N7..12 "/A" N7..12 "/" d15..20 "/" w24}|"hooks.slack.com/triggers/" {("T"|"E") N7..12 "/" d10..20 "/" x32}`,
			Left: "-", Severity: medium, Revoke: "https://api.slack.com/apps: the app > Incoming Webhooks"},
		{ID: "discord-bot", Provider: "Discord", Title: "Discord bot token", By: ByAssignment, Program: `u23..28 "." u6 "." u27..40`, Context: []string{"discord", "bot", "token"}, Refine: discordBot, Revoke: "https://discord.com/developers/applications"},
		{ID: "discord-webhook", Provider: "Discord", Title: "Discord webhook", Program: `("discord.com"|"discordapp.com") "/api/webhooks/" d17..20 "/" {u60..72}`, Severity: medium, Revoke: "Discord: Server settings > Integrations"},
		{ID: "telegram-bot", Provider: "Telegram", Title: "Telegram bot token", Program: `d8..10 ":AA" u33`, Revoke: "Telegram: @BotFather, /revoke"},
		{ID: "teams-webhook", Provider: "Microsoft Teams", Title: "Microsoft Teams incoming webhook", Program: `"webhook.office.com/webhookb2/" {U "@" U "/IncomingWebhook/" x32 "/" U ("/V" u20..100)?}`, Severity: medium, Revoke: "Teams: the channel > Connectors"},
		{ID: "notion", Provider: "Notion", Title: "Notion integration secret", Program: `"ntn_" d11 w35`, Revoke: "https://www.notion.so/profile/integrations"},
		{ID: "notion-old", Provider: "Notion", Title: "Notion integration secret", Program: `"secret_" w43`, Refine: varied(true), Revoke: "https://www.notion.so/profile/integrations"},
		{ID: "linear", Provider: "Linear", Title: "Linear API key", Program: `"lin_api_" w40|"lin_oauth_" x64`, Revoke: "Linear: Settings > Security & access"},
		{ID: "airtable", Provider: "Airtable", Title: "Airtable personal access token", Program: `"pat" w14 "." x64`, Revoke: "https://airtable.com/create/tokens"},
		{ID: "figma", Provider: "Figma", Title: "Figma personal access token", Program: `"figd_" u38..42`, Revoke: "Figma: Settings > Security"},
		{ID: "dropbox", Provider: "Dropbox", Title: "Dropbox access token", Program: `"sl." u130..2000`, Revoke: "https://www.dropbox.com/developers/apps"},
		{ID: "salesforce-session", Provider: "Salesforce", Title: "Salesforce session ID", Program: `"00D" w12 "!" [!-~]80..260`, Revoke: "Salesforce: Setup > Session Management"},
		{ID: "hubspot", Provider: "HubSpot", Title: "HubSpot private app token", Program: `("pat-na1-"|"pat-eu1-"|"pat-na2-"|"pat-ap1-") U`, Revoke: "HubSpot: Settings > Integrations > Private Apps"},
		{ID: "postman", Provider: "Postman", Title: "Postman API key", Program: `"PMAK-" x24 "-" x34`, Revoke: "https://go.postman.co/settings/me/api-keys"},
		{ID: "typeform", Provider: "Typeform", Title: "Typeform personal access token", Program: `"tfp_" u59`},
		{ID: "contentful", Provider: "Contentful", Title: "Contentful personal access token", Program: `"CFPAT-" u43..46`},
		{ID: "clickup", Provider: "ClickUp", Title: "ClickUp API token", Program: `"pk_" d7..9 "_" N32`},
		{ID: "zapier-webhook", Provider: "Zapier", Title: "Zapier webhook", Program: `"hooks.zapier.com/hooks/catch/" {d3..10 "/" n5..12}`, Left: "-", Severity: low},
	}
}

// discordBot accepts tokens whose first part is the number of an account.
func discordBot(c *Candidate) bool {
	first, _, _ := bytes.Cut(c.Token, []byte{'.'})
	raw, err := base64.RawURLEncoding.DecodeString(string(first))
	return err == nil && len(raw) >= 17 && len(raw) <= 20 && len(bytes.Trim(raw, "0123456789")) == 0
}
