package secrets

import (
	"bytes"

	"github.com/boltseal/boltseal"
)

func paymentFamilies() []Rule {
	const (
		stripe   = "https://dashboard.stripe.com/apikeys"
		square   = "https://developer.squareup.com/apps"
		shopify  = "Shopify admin: Settings > Apps and sales channels"
		coinbase = "https://portal.cdp.coinbase.com/access/api"
	)
	return []Rule{
		{ID: "stripe-live", Provider: "Stripe", Title: "Stripe live secret key", Program: `("sk_live_"|"rk_live_") w24..247`, Severity: critical, Refine: notPaystack, Revoke: stripe},
		{ID: "stripe-test", Provider: "Stripe", Title: "Stripe test secret key", Program: `("sk_test_"|"rk_test_") w24..247`, Severity: low, Revoke: stripe},
		{ID: "stripe-org", Provider: "Stripe", Title: "Stripe organization key", Program: `"sk_org_" ("live_"|"test_")? w20..247`, Severity: critical, Revoke: stripe},
		{ID: "stripe-webhook", Provider: "Stripe", Title: "Stripe or Svix webhook signing secret", Program: `"whsec_" b32..128 ("=")?`, Severity: medium, Revoke: "https://dashboard.stripe.com/webhooks"},
		{ID: "stripe-public", Provider: "Stripe", Title: "Stripe publishable key", Program: `("pk_live_"|"pk_test_") w24..247`, Kind: KindIdentifier},
		{ID: "paystack", Provider: "Paystack", Title: "Paystack live secret key", Program: `"sk_live_" x40`, Revoke: "https://dashboard.paystack.com/#/settings/developers"},
		{ID: "square-token", Provider: "Square", Title: "Square access token", Program: `"EAAA" u60`, Left: `[0-9A-Za-z_+/-]`, Right: `[0-9A-Za-z_+/=-]`, Severity: critical, Refine: each(varied(true), notWrapped), Revoke: square},
		{ID: "square-oauth", Provider: "Square", Title: "Square OAuth secret", Program: `("sq0csp-"|"sq0csb-") u43..44`, Severity: critical, Revoke: square},
		{ID: "square-id", Provider: "Square", Title: "Square application ID", Program: `"sq0idp-" u22`, Kind: KindIdentifier},
		{ID: "braintree", Provider: "Braintree", Title: "Braintree access token", Program: `"access_token$production$" {n16 "$" x32}`, Severity: critical, Revoke: "Braintree: Settings > API"},
		{ID: "razorpay", Provider: "Razorpay", Title: "Razorpay live API key", Program: `"rzp_live_" w14`, Kind: KindHalf, Refine: pairRun("w", 24, "secret"), Revoke: "https://dashboard.razorpay.com/app/keys"},
		{ID: "plaid", Provider: "Plaid", Title: "Plaid access token", Program: `"access-production-" U`, Revoke: "Plaid: /item/remove"},
		{ID: "plaid-secret", Provider: "Plaid", Title: "Plaid secret", By: ByAssignment, Program: `x30`, Context: []string{"plaid"}, Confidence: ConfidenceMedium, Revoke: "https://dashboard.plaid.com/developers/keys"},
		{ID: "shopify-access", Provider: "Shopify", Title: "Shopify access token", Program: `("shpat_"|"shpca_"|"shppa_"|"prtapi_") h32`, Revoke: shopify},
		{ID: "shopify-secret", Provider: "Shopify", Title: "Shopify shared secret", Program: `"shpss_" h32`, Revoke: shopify},
		{ID: "coinbase-cdp", Provider: "Coinbase", Title: "Coinbase API key", By: ByJSON, Program: `"\"organizations/"`, Severity: critical, Check: checkObject("name", "privateKey"), Refine: coinbaseKey, Revoke: coinbase},
		{ID: "flutterwave", Provider: "Flutterwave", Title: "Flutterwave secret key", Program: `"FLWSECK-" x32 "-X"`},
		{ID: "flutterwave-public", Provider: "Flutterwave", Title: "Flutterwave public key", Program: `"FLWPUBK-" x32 "-X"`, Kind: KindIdentifier},
		{ID: "paddle", Provider: "Paddle", Title: "Paddle live API key", Program: `"pdl_live_apikey_" n26 "_" w22 "_" w3`, Severity: critical},
		{ID: "polar", Provider: "Polar", Title: "Polar access token", Program: `("polar_oat_"|"polar_pat_"|"polar_at_") w37 w6`, Check: checkPolar},
		{ID: "easypost", Provider: "EasyPost", Title: "EasyPost API key", Program: `"EZAK" w54`},
		{ID: "shippo", Provider: "Shippo", Title: "Shippo live token", Program: `"shippo_live_" x40`},
	}
}

// notPaystack leaves to Paystack the keys of its length, which are all hex.
func notPaystack(c *Candidate) bool {
	body := bytes.TrimPrefix(c.Token, []byte("sk_live_"))
	return len(body) != 40 || len(bytes.Trim(body, "0123456789abcdef")) > 0
}

// coinbaseKey accepts a key's name with its private key.
func coinbaseKey(c *Candidate) bool {
	object := stringMembers(c.Token)
	if !bytes.Contains([]byte(object["name"]), []byte("/apiKeys/")) {
		return false
	}
	k := parseKey([]byte(object["privateKey"]))
	if k.verdict != boltseal.VerdictPass {
		return false
	}
	c.Verdict, c.Secret = k.verdict, k.der
	c.Parts = append(c.Parts, Part{Name: "key", Value: object["name"]})
	return true
}
