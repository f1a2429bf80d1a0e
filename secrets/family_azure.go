package secrets

import (
	"bytes"
	"net/url"
	"time"

	"github.com/boltseal/boltseal"
)

func azureFamilies() []Rule {
	const (
		keys     = "Azure portal: the resource > Access keys"
		policies = "Azure portal: the resource > Shared access policies"
		devops   = "Azure DevOps: User settings > Personal access tokens"
		apps     = "Azure portal: App registrations > Certificates & secrets"
		left     = `[0-9A-Za-z+/_]`
	)
	// One shape serves many products: 64 or 32 bytes in base 64, a mark of four
	// characters, and a sum.
	long := func(mark string) string { return `b76 "` + mark + `" b5 [AQgw] "=="` }
	short := func(mark string) string { return `b33 "` + mark + `" [A-P] b5 "="` }
	cask := `w52 "JQQJ9" [9DH] w [A-L] w16 `
	messaging := checkAzure(soft, "Send0000", "Listen00", "Manage00", "System00", "Unknown0")
	return []Rule{
		{ID: "azure-storage", Provider: "Azure", Title: "Azure storage account key", Program: long("+ASt"), Left: left, Severity: critical, Check: checkAzure(hard, "Default0"), Revoke: keys},
		{ID: "azure-cosmos", Provider: "Azure", Title: "Azure Cosmos DB key", Program: long("ACDb"), Left: left, Severity: critical, Check: checkAzure(hard, "MastRW00", "MastRO00", "SystRW00", "SystRO00", "SysAll00", "Resour00", "Encryp00"), Revoke: keys},
		{ID: "azure-batch", Provider: "Azure", Title: "Azure Batch key", Program: long("+ABa"), Left: left, Severity: critical, Check: checkAzure(soft, "AbAcct00"), Revoke: keys},
		{ID: "azure-apim", Provider: "Azure", Title: "Azure API Management key", Program: long("APIM"), Left: left, Severity: critical, Check: checkAzure(soft, "Tenant00", "Gatewy00", "GitKey00", "IoTHub00"), Revoke: keys},
		{ID: "azure-ml-classic", Provider: "Azure", Title: "Azure Machine Learning (classic) key", Program: long("+AMC"), Left: left, Check: checkAzure(soft, "Classic0"), Revoke: keys},
		{ID: "azure-storage-old", Provider: "Azure", Title: "Azure storage account key", Program: `"AccountKey=" {b86 "=="}`, Severity: critical, Refine: func(c *Candidate) bool {
			return !bytes.Contains(c.Secret, []byte("+ASt")) && !bytes.Contains(c.Secret, []byte("ACDb")) && len(decodeBase64(c.Secret)) == 64
		}, Revoke: keys},
		{ID: "azure-servicebus", Provider: "Azure", Title: "Azure Service Bus key", Program: short("+ASb"), Left: left, Severity: critical, Check: checkAzure(hard, "Send0000", "Listen00", "Manage00", "System00", "Unknown0"), Revoke: policies},
		{ID: "azure-eventhub", Provider: "Azure", Title: "Azure Event Hubs key", Program: short("+AEh"), Left: left, Severity: critical, Check: messaging, Revoke: policies},
		{ID: "azure-relay", Provider: "Azure", Title: "Azure Relay key", Program: short("+ARm"), Left: left, Severity: critical, Check: messaging, Revoke: policies},
		{ID: "azure-iot", Provider: "Azure", Title: "Azure IoT Hub key", Program: short("AIoT"), Left: left, Severity: critical, Check: checkAzure(soft, "IoTHub00", "DpsKey00", "Device00"), Revoke: policies},
		{ID: "azure-redis", Provider: "Azure", Title: "Azure Cache for Redis key", Program: short("AzCa"), Left: left, Severity: critical, Check: checkRedis, Revoke: keys},
		{ID: "azure-functions", Provider: "Azure", Title: "Azure Functions key", Program: `u44 "AzFu" u5 [AQgw] "=="`, Severity: critical, Check: checkAzure(soft, "Functi00", "Master00", "System00"), Revoke: "Azure portal: the function app > App keys"},
		{ID: "azure-search", Provider: "Azure", Title: "Azure AI Search key", Program: `w42 "AzSe" [A-D] w5`, Severity: critical, Check: checkAzure(soft, "Query000", "PAdmin00"), Revoke: keys},
		{ID: "azure-acr", Provider: "Azure", Title: "Azure Container Registry password", Program: `b42 "+ACR" [A-D] b5`, Left: left, Severity: critical, Check: checkAzure(soft, "ACRDflt0"), Revoke: keys},
		{ID: "azure-devops-pat", Provider: "Azure DevOps", Title: "Azure DevOps personal access token", Program: cask + `"AZDO" b4 (b2 "==")?`, Severity: critical, Check: checkCASK, Revoke: devops},
		{ID: "azure-ai", Provider: "Azure", Title: "Azure AI services key", Program: cask + `"ACOG" b4 (b2 "==")?`, Severity: critical, Check: checkCASK, Revoke: keys},
		{ID: "azure-cask", Provider: "Azure", Title: "Azure resource key", Program: cask + `("AZEG"|"AZAC"|"AZFR"|"AZMR"|"AZMP"|"AZCS"|"AZCR"|"msql") b4 (b2 "==")?`, Severity: critical, Check: checkCASK, Revoke: keys},
		{ID: "azure-devops-old", Provider: "Azure DevOps", Title: "Azure DevOps personal access token", By: ByAssignment, Program: `l52`, Context: []string{"azure", "devops", "ado", "vsts", "vss", "azp", "pat", "system_accesstoken"}, Confidence: ConfidenceMedium, Refine: azureDevOpsOld, Revoke: devops},
		{ID: "azure-entra-secret", Provider: "Microsoft Entra ID", Title: "Entra ID client secret", Program: `[0-9A-Za-z_.~-]3 "8Q~" [0-9A-Za-z_.~-]34`, Left: `[0-9A-Za-z_.~-]`, Severity: critical, Check: checkEntra, Revoke: apps},
		{ID: "azure-entra-old", Provider: "Microsoft Entra ID", Title: "Entra ID client secret", Program: `[0-9A-Za-z_.~-]3 "7Q~" [0-9A-Za-z_.~-]31`, Left: `[0-9A-Za-z_.~-]`, Severity: critical, Revoke: apps},
		{ID: "azure-sas", Provider: "Azure", Title: "Azure shared access signature", Program: `"sig=" {[0-9A-Za-z%+/]43..90 ("=")?}`, Left: `[0-9A-Za-z_-]`, Refine: sharedAccess, Revoke: "Azure portal: rotate the account key that signed it"},
		{ID: "azure-sas-conn", Provider: "Azure", Title: "Azure connection string key", Program: `("SharedAccessKey="|";Secret=") {b36..50 ("=")?}`, Left: "-", Refine: func(c *Candidate) bool {
			for _, mark := range []string{"+ASb", "+AEh", "+ARm", "AIoT"} {
				if bytes.Contains(c.Secret, []byte(mark)) {
					return false
				}
			}
			return len(decodeBase64(c.Secret)) >= 24 && c.near(512, "endpoint=", "hostname=")
		}, Revoke: policies},
		{ID: "azure-publish", Provider: "Azure", Title: "Azure publish profile password", Program: `"userPWD=\"" {w60}`, Revoke: "Azure portal: the app > Reset publish profile"},
	}
}

// azureDevOpsOld accepts a token that passes the sum, whatever it is called by.
func azureDevOpsOld(c *Candidate) bool {
	if c.Verdict = checkAzureDevOps(c.Token); c.Verdict == boltseal.VerdictPass {
		c.Confidence = ConfidenceHigh
	}
	return varied(false)(c)
}

// sharedAccess accepts the signature of a URL that has the other fields of a
// shared access signature, and reads when it ends.
func sharedAccess(c *Candidate) bool {
	from := bytes.LastIndexAny(c.Text[:c.Start], " \t\r\n\"'<>`") + 1
	to := len(c.Text)
	if i := bytes.IndexAny(c.Text[c.End:], " \t\r\n\"'<>`"); i >= 0 {
		to = c.End + i
	}
	if from > c.Start-1 || to-from > 4096 {
		return false
	}
	text := bytes.ReplaceAll(c.Text[from:to], []byte("&amp;"), []byte("&"))
	if i := bytes.IndexByte(text, '?'); i >= 0 {
		text = text[i+1:]
	}
	fields, err := url.ParseQuery(string(text))
	if err != nil || fields.Get("sv") == "" && fields.Get("sr") == "" || fields.Get("se") == "" {
		return false
	}
	sig := bytes.ReplaceAll([]byte(fields.Get("sig")), []byte(" "), []byte("+")) // a plus sign that was not escaped
	raw := decodeBase64(sig)
	if len(raw) != 32 {
		return false
	}
	c.Verdict, c.Secret = boltseal.VerdictPass, raw // the same however the URL is escaped
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", "2006-01-02"} {
		if end, err := time.Parse(layout, fields.Get("se")); err == nil {
			c.Expires = end.UTC()
		}
	}
	return true
}
