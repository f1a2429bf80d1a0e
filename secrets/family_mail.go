package secrets

func mailFamilies() []Rule {
	const (
		mailgun = "https://app.mailgun.com/settings/api_security"
		twilio  = "https://console.twilio.com: Account > Auth tokens"
	)
	return []Rule{
		{ID: "sendgrid", Provider: "SendGrid", Title: "SendGrid API key", Program: `"SG." u22 "." u43`, Revoke: "https://app.sendgrid.com/settings/api_keys"},
		{ID: "mailgun", Provider: "Mailgun", Title: "Mailgun API key", Program: `"key-" x32`, Left: `[0-9A-Za-z_-]`, Context: []string{"mail", "mg_", "mg."}, Revoke: mailgun},
		{ID: "mailgun-key", Provider: "Mailgun", Title: "Mailgun API key", By: ByAssignment, Program: `x32 "-" x8 "-" x8`, Context: []string{"mailgun", "mg_"}, Revoke: mailgun},
		{ID: "mailgun-public", Provider: "Mailgun", Title: "Mailgun public key", Program: `"pubkey-" x32`, Kind: KindIdentifier},
		{ID: "mailchimp", Provider: "Mailchimp", Title: "Mailchimp API key", Program: `x32 "-us" d1..2`, Severity: medium, Revoke: "https://admin.mailchimp.com/account/api/"},
		{ID: "mandrill", Provider: "Mandrill", Title: "Mandrill API key", Program: `"md-" u22`, Left: `[0-9A-Za-z_-]`, Context: []string{"mandrill"}},
		{ID: "mailersend", Provider: "MailerSend", Title: "MailerSend API token", Program: `"mlsn." w30..100`},
		{ID: "onesignal", Provider: "OneSignal", Title: "OneSignal API key", Program: `("os_v2_app_"|"os_v2_org_") l103`},
		{ID: "twilio-auth", Provider: "Twilio", Title: "Twilio account SID and auth token", Program: `"AC" x32`, Kind: KindHalf, Refine: pairOnly("x", 32, "token", "secret", "auth"), Revoke: twilio},
		{ID: "twilio-key", Provider: "Twilio", Title: "Twilio API key and secret", Program: `"SK" x32`, Kind: KindHalf, Refine: pairOnly("w", 32, "secret"), Revoke: "https://console.twilio.com: Account > API keys"},
		{ID: "twilio-token", Provider: "Twilio", Title: "Twilio auth token", By: ByAssignment, Program: `x32`, Context: []string{"twilio"}, Confidence: ConfidenceMedium, Refine: secretName, Revoke: twilio},
		{ID: "brevo", Provider: "Brevo", Title: "Brevo key", Program: `("xkeysib-"|"xsmtpsib-") x64 "-" w16`, Revoke: "https://app.brevo.com/settings/keys/api"},
		{ID: "resend", Provider: "Resend", Title: "Resend API key", Program: `"re_" w8 "_" w24`, Refine: varied(true), Revoke: "https://resend.com/api-keys"},
	}
}
