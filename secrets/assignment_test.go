package secrets

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rulesIn returns the rules of what a text holds, of handlerRules.
func rulesIn(t *testing.T, text string) (rules []string) {
	t.Helper()
	set, err := Compile(handlerRules)
	require.NoError(t, err)
	for _, m := range scanBlocks(t, set, []byte(text), 1<<16, reach) {
		rules = append(rules, m.Rule)
	}
	return rules
}

func TestAssignmentSyntaxes(t *testing.T) {
	v := "q7" + token(9, 12, word) + "Z3"
	for _, syntax := range []string{
		"DB_PASSWORD=VALUE", "db.password: VALUE", "password := \"VALUE\"", "$password = 'VALUE';", "'password' => 'VALUE'", "\"password\": \"VALUE\"", "this.password = `VALUE`",
		"PASSWORD ?= VALUE", "@password ||= \"VALUE\"", "<password>VALUE</password>", "<db password=\"VALUE\"/>", "<key>password</key>\n\t<string>VALUE</string>",
		"export PASSWORD=VALUE", "setenv PASSWORD VALUE", "ENV PASSWORD VALUE", "docker run -e PASSWORD=VALUE x", "tool --password VALUE", "tool --password=VALUE x", "java -Dpassword=VALUE x",
		"define('DB_PASSWORD', 'VALUE');", "#define PASSWORD \"VALUE\"", "set(\"password\", \"VALUE\")", "c.setPassword(\"VALUE\")", "var password string = \"VALUE\"", "password: str = \"VALUE\"",
		"{\"name\": \"DB_PASSWORD\", \"value\": \"VALUE\"}", "- name: DB_PASSWORD\n  value: VALUE", "CREATE USER a IDENTIFIED BY 'VALUE'", "ALTER ROLE a WITH PASSWORD 'VALUE'",
		"machine h login u password VALUE", "password: |\n  VALUE\n", "{\\\"password\\\":\\\"VALUE\\\"}", "\"Password\"=\"VALUE\"", "User{Name: \"a\", Password: \"VALUE\"}", "password = b'VALUE'", "password: 'VALUE' # the new one",
		"<property><name>db.password</name><value>VALUE</value></property>", "<add key=\"Password\" value=\"VALUE\"/>", "if password == \"VALUE\" {",
	} {
		assert.Equal(t, []string{"generic-password"}, rulesIn(t, strings.ReplaceAll(syntax, "VALUE", v)), syntax)
	}
}

func TestValuesThatAreNoSecrets(t *testing.T) {
	for _, text := range []string{
		"password=${DB_PASSWORD}", "password: {{ .Values.password }}", "password = os.environ['PASSWORD']", "password=%PASSWORD%", "password: <your password>",
		"password = getPassword()", "password = config.database.password", "password: changeme1", "password=xxxxxxxxxx1", "password: string", "PASSWORD_FILE=/run/secrets/db1",
		"passwordLength = 12345678", "password_hash: $2b$12$" + token(1, 40, word), "token_type = \"Bearer12\"", "\"secretName\": \"my-app-tls-2\"",
		"csrfToken = \"" + token(2, 32, word) + "\"", "api_key = \"sha256-" + token(3, 40, word) + "\"", "token: 123e4567-e89b-12d3-a456-426614174000",
		"password: Please enter 8 characters", "sortKey: " + token(4, 24, word), "public_key = " + token(5, 40, word), "password = \"correct horse\"", "nextPageToken: " + token(6, 30, word),
	} {
		assert.Empty(t, rulesIn(t, text), text)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]meaning{
		"password": meansPassword, "dbPassword": meansPassword, "DB_PASSWORD_2": meansPassword, "spring.datasource.password": meansPassword, "pwd": meansPassword,
		"apiKey": meansKey, "X-Api-Key": meansKey, "client_secret": meansKey, "GITHUB_TOKEN": meansKey, "AWSSecretKey": meansKey, "secretValue": meansKey,
		"passwordField": meansNothing, "token_url": meansNothing, "secretName": meansNothing, "key": meansNothing, "primary_key": meansNothing, "publicKey": meansNothing,
		"authorName": meansNothing, "compass": meansNothing, "nextToken": meansNothing, "tokenType": meansNothing,
	} {
		assert.Equal(t, want, nameMeans(name), name)
	}
	require.Equal(t, []string{"db", "user", "password", "2"}, nameWords("dbUser_PASSWORD2"))
	require.Equal(t, []string{"http", "server", "id"}, nameWords("HTTPServer-ID"))
}

func TestURLs(t *testing.T) {
	pass := "q7" + token(7, 10, word)
	for text, want := range map[string]int{
		"postgres://app:" + pass + "@db.internal:5432/x":            1,
		"redis://:" + pass + "@cache.internal":                      1,
		"https://user:p%40" + pass + "@h.internal/":                 1,
		"https://user@h.internal/" + pass:                           0,
		"https://user:${PASSWORD}@h.internal":                       0,
		"https://user:password@h.internal":                          0,
		"ssh://git@h.internal:" + pass + "/x":                       0,
		"see http://h.internal/a:" + pass + "/b and mail a@b.c":     0,
		"jdbc:mysql://app:" + pass + "@h.internal/x?user=a@example": 1,
	} {
		assert.Len(t, rulesIn(t, text), want, text)
	}
}

func TestHeadersAndCommands(t *testing.T) {
	key := token(8, 32, word)
	for text, want := range map[string]string{
		"Authorization: Bearer " + key:                            "bearer-header",
		"\"Authorization\": \"Bearer " + key + "\"":               "bearer-header",
		"Authorization: Basic YWRtaW46cTdLa1poMmJuV3g=":           "basic-header",
		"curl -u admin:q7" + key[:10] + " https://h":              "curl-user",
		"curl --user 'admin:q7" + key[:10] + "' https://h":        "curl-user",
		"sshpass -p q7" + key[:10] + " ssh h":                     "curl-user",
		"docker login -u a -p q7" + key[:10] + " r.internal":      "curl-user",
		"Authorization: Bearer ${TOKEN}":                          "",
		"the bearer " + key + " of this letter":                   "",
		"curl -u admin:$PASSWORD https://h":                       "",
		"Authorization: Basic dXNlcjpwYXNzd29yZA== user:password": "",
	} {
		assert.Equal(t, want, strings.Join(rulesIn(t, text), " "), text)
	}
}
