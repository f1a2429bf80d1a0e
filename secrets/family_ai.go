package secrets

func aiFamilies() []Rule {
	const (
		openai      = "https://platform.openai.com/api-keys"
		openaiAdmin = "https://platform.openai.com/settings/organization/admin-keys"
		anthropic   = "https://console.anthropic.com/settings/keys"
	)
	return []Rule{
		{ID: "openai-old", Provider: "OpenAI", Title: "OpenAI API key", Program: `"sk-" w20 "T3BlbkFJ" w20`, Severity: critical, Revoke: openai},
		{ID: "openai-project", Provider: "OpenAI", Title: "OpenAI project API key", Program: `"sk-proj-" (u74 "T3BlbkFJ" u74|u58 "T3BlbkFJ" u58|u20 "T3BlbkFJ" u20)`, Severity: critical, Revoke: openai},
		{ID: "openai-service", Provider: "OpenAI", Title: "OpenAI service account key", Program: `("sk-svcacct-"|"sk-service-") (u74 "T3BlbkFJ" u74|u58 "T3BlbkFJ" u58)`, Severity: critical, Revoke: openai},
		{ID: "openai-admin", Provider: "OpenAI", Title: "OpenAI admin key", Program: `"sk-admin-" u58 "T3BlbkFJ" u58`, Severity: critical, Revoke: openaiAdmin},
		{ID: "anthropic-api", Provider: "Anthropic", Title: "Anthropic API key", Program: `"sk-ant-api03-" u93 "AA"`, Severity: critical, Revoke: anthropic},
		{ID: "anthropic-admin", Provider: "Anthropic", Title: "Anthropic admin key", Program: `"sk-ant-admin01-" u93 "AA"|"sk-ant-api01-" u60..120`, Severity: critical, Revoke: "https://console.anthropic.com/settings/admin-keys"},
		{ID: "anthropic-oauth", Provider: "Anthropic", Title: "Anthropic OAuth or session token", Program: `("sk-ant-oat01-"|"sk-ant-ort01-"|"sk-ant-sid01-") u80..400`, Revoke: "https://claude.ai/settings/account"},
		{ID: "huggingface", Provider: "Hugging Face", Title: "Hugging Face token", Program: `("hf_"|"api_org_") a34`, Revoke: "https://huggingface.co/settings/tokens"},
		{ID: "replicate", Provider: "Replicate", Title: "Replicate API token", Program: `"r8_" u37`, Revoke: "https://replicate.com/account/api-tokens"},
		{ID: "groq", Provider: "Groq", Title: "Groq API key", Program: `"gsk_" w52`, Revoke: "https://console.groq.com/keys"},
		{ID: "perplexity", Provider: "Perplexity", Title: "Perplexity API key", Program: `"pplx-" w48`, Revoke: "https://www.perplexity.ai/settings/api"},
		{ID: "xai", Provider: "xAI", Title: "xAI API key", Program: `"xai-" u80`, Revoke: "https://console.x.ai"},
		{ID: "openrouter", Provider: "OpenRouter", Title: "OpenRouter API key", Program: `"sk-or-v1-" x64`, Revoke: "https://openrouter.ai/settings/keys"},
		{ID: "pinecone", Provider: "Pinecone", Title: "Pinecone API key", Program: `"pcsk_" w5..6 "_" w63`},
		{ID: "langsmith", Provider: "LangSmith", Title: "LangSmith API key", Program: `("lsv2_pt_"|"lsv2_sk_") x32 "_" x10`},
		{ID: "langfuse", Provider: "Langfuse", Title: "Langfuse secret key", Program: `"sk-lf-" U`},
		{ID: "langfuse-public", Provider: "Langfuse", Title: "Langfuse public key", Program: `"pk-lf-" U`, Kind: KindIdentifier},
		{ID: "nvidia", Provider: "NVIDIA", Title: "NVIDIA API key", Program: `"nvapi-" u60..70`},
		{ID: "together", Provider: "Together AI", Title: "Together AI API key", Program: `"tgp_v1_" u43`},
		{ID: "fireworks", Provider: "Fireworks AI", Title: "Fireworks AI API key", Program: `"fw_" (w24|w22)`, Refine: varied(true)},
		{ID: "elevenlabs", Provider: "ElevenLabs", Title: "ElevenLabs API key", Program: `"sk_" x48`},
		{ID: "tavily", Provider: "Tavily", Title: "Tavily API key", Program: `"tvly-" ("dev-")? w32`},
		{ID: "jina", Provider: "Jina AI", Title: "Jina AI API key", Program: `"jina_" w60`},
		{ID: "cerebras", Provider: "Cerebras", Title: "Cerebras API key", Program: `"csk-" n48`},
		{ID: "wandb", Provider: "Weights & Biases", Title: "Weights & Biases API key", Program: `"wandb_v1_" [0-9A-Za-z_]77`},
	}
}
