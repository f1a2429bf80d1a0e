package secrets

import (
	"bytes"
	"slices"
	"strings"
)

// frameworkFamilies are the settings in which frameworks keep their secrets.
func frameworkFamilies() []Rule {
	// A value in a connection string: to the next separator.
	const value = `{[!#-%(-:=?-~]1..128}`
	// One begins there, or stands behind a separator: in code there are dots and commas.
	const inside = "[\x00-\x09\x0b\x0c\x0e-\x1f!#-%(-:=@-_a-\xff]"
	passwords := `("Password="|"password="|"PASSWORD="|"Pwd="|"pwd="|"PWD=") ` + value
	return []Rule{
		{ID: "rails-master-key", Provider: "Ruby on Rails", Title: "Rails master key", By: ByAssignment, Program: `x32`, Names: []string{"railsmasterkey"}, Severity: critical, Revoke: "rails credentials:edit, with a new key"},
		{ID: "rails-secret-base", Provider: "Ruby on Rails", Title: "Rails secret key base", By: ByAssignment, Program: `x64..128`, Names: []string{"secretkeybase"}, Confidence: ConfidenceMedium, Revoke: "rails secret"},
		{ID: "django-secret", Provider: "Django", Title: "Django secret key", By: ByAssignment, Program: `[!-~]40..128`, Names: []string{"secretkey", "djangosecretkey"}, Confidence: ConfidenceMedium, Refine: djangoSecret, Revoke: "replace SECRET_KEY in the settings"},
		{ID: "laravel-key", Provider: "Laravel", Title: "Laravel application key", By: ByAssignment, Program: `"base64:" b43 "="`, Names: []string{"appkey", "appkeys", "apppreviouskeys"}, Confidence: ConfidenceMedium, Refine: func(c *Candidate) bool {
			return len(decodeBase64(bytes.TrimPrefix(c.Token, []byte("base64:")))) == 32
		}, Revoke: "php artisan key:generate"},
		{ID: "wp-salts", Provider: "WordPress", Title: "WordPress key or salt", By: ByAssignment, Program: `[ -~]64`, Names: []string{"authkey", "secureauthkey", "loggedinkey", "noncekey", "authsalt", "secureauthsalt", "loggedinsalt", "noncesalt"},
			Confidence: ConfidenceMedium, Severity: medium, Refine: func(c *Candidate) bool {
				return slices.Contains(c.Rule.Names, flatName([]byte(c.Name))) && random(c.Secret)
			}, Revoke: "https://api.wordpress.org/secret-key/1.1/salt/"},
		{ID: "spring-datasource", Provider: "Spring", Title: "password of a Spring data source", By: ByAssignment, Program: `[!-~]4..512`, Names: []string{"springdatasourcepassword", "springdatasourcehikaripassword"}, Confidence: ConfidenceMedium, Refine: passwordLike, Revoke: "change the password at the database"},
		{ID: "ado-net", Title: "password in an ADO.NET connection string", Program: passwords, Left: inside, Right: "-", Confidence: ConfidenceMedium, Refine: connection("server=", "data source=", "datasource=", "address=", "host="), Revoke: "change the password at the database"},
		{ID: "odbc", Title: "password in an ODBC connection string", Program: passwords, Left: inside, Right: "-", Confidence: ConfidenceMedium, Refine: connection("driver=", "dsn="), Revoke: "change the password at the database"},
		{ID: "jdbc", Title: "password in a JDBC URL", Program: passwords + `|"jdbc:oracle:thin:" [0-9A-Za-z_]1..64 "/" {[!#-&(-?A-~]1..128} "@"`, Left: inside, Right: "-", Confidence: ConfidenceMedium, Refine: connection("jdbc:"), Revoke: "change the password at the database"},
	}
}

// djangoSecret keeps secret keys in what looks like Django's settings.
func djangoSecret(c *Candidate) bool {
	if !strings.Contains(c.Path, "settings") && !c.near(8192, "django", "installed_apps") {
		return false
	}
	if bytes.HasPrefix(c.Secret, []byte("django-insecure-")) {
		c.rate(low, "the key of a new project, which says that it is not to be used")
	}
	return random(c.Secret) && literal(c)
}

// connection keeps passwords in a connection string that has one of the words:
// the text round the password, to the line's ends or the nearest quotes.
func connection(words ...string) refinement {
	return func(c *Candidate) bool {
		const stop = "\"'`\r\n<>"
		from, to := max(0, c.Start-320), min(len(c.Text), c.End+320)
		if i := bytes.LastIndexAny(c.Text[from:c.Start], stop); i >= 0 {
			from += i + 1
		}
		if i := bytes.IndexAny(c.Text[c.End:to], stop); i >= 0 {
			to = c.End + i
		}
		text := strings.ToLower(string(c.Text[from:to]))
		if style(text) != style(words[0]) || !opens(c.Text[from:c.Start]) {
			return false
		}
		for _, w := range words {
			if strings.Contains(text, w) {
				return passwordLike(c)
			}
		}
		return false
	}
}

// opens reports whether what follows a text begins a connection string, or
// stands behind a separator in it: in code there are dots and commas.
func opens(text []byte) bool {
	text = bytes.TrimRight(text, " ")
	return len(text) == 0 || bytes.IndexByte([]byte(";&?"), text[len(text)-1]) >= 0
}

// style tells the kinds of connection strings apart: one of them claims it.
func style(text string) string {
	switch {
	case strings.Contains(text, "jdbc:"):
		return "jdbc"
	case strings.Contains(text, "driver="), strings.Contains(text, "dsn="):
		return "odbc"
	}
	return "ado"
}

// passwordLike keeps literal values that look like passwords, not like names.
func passwordLike(c *Candidate) bool { return literal(c) && password(c.Secret, true, true) }

// genericFamilies are what the engine's handlers find.
func genericFamilies() []Rule {
	const change = "change the password at the server"
	return []Rule{
		{ID: "url-userinfo", Title: "password in a URL", By: ByURL, Generic: true, Confidence: ConfidenceMedium, Revoke: change},
		{ID: "basic-header", Title: "password in an Authorization header", By: ByHeader, Generic: true, Confidence: ConfidenceMedium, Revoke: change},
		{ID: "bearer-header", Title: "token in an Authorization header", By: ByHeader, Generic: true, Confidence: ConfidenceMedium, Severity: medium},
		{ID: "curl-user", Title: "password on a command line", By: ByCommand, Generic: true, Confidence: ConfidenceMedium, Revoke: change},
		{ID: "generic-password", Title: "password", By: ByAssignment, Generic: true, Confidence: ConfidenceLow, Severity: medium},
		{ID: "generic-key", Title: "key or token", By: ByAssignment, Generic: true, Confidence: ConfidenceLow, Severity: medium},
	}
}
