/* SPDX-License-Identifier: Apache-2.0 */
/* TLS for hiredis; see redis_tls.h. Sends and reads nothing itself. */
#include "config.h"

#include "action/redis_tls.h"

static void explain_plainly(const char *said, struct buf *out)
{
	buf_adds(out, *said ? said : "the server closed the connection");
}

#ifdef HAVE_HIREDIS_SSL

#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/xalloc.h"

struct redis_tls {
	SSL *ssl; /* hiredis holds a reference of its own */
};

/* A key with a passphrase is refused: nobody is there to be asked. */
static int no_passphrase(char *text, int size, int writing, void *arg)
{
	return -1;
}

static const char *last_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason ? reason : "unknown error";
}

static int cannot_use(const char *what, const char *path, struct err *err_r)
{
	return err_set(err_r, ERR_POLICY, "%s: %s cannot be used: %s", what,
		path, last_reason());
}

static int trust(SSL_CTX *ctx, const char *ca_file, struct err *err_r)
{
	if (!ca_file && SSL_CTX_set_default_verify_paths(ctx) == 1)
		return 0;
	if (ca_file && SSL_CTX_load_verify_locations(ctx, ca_file, NULL) == 1)
		return 0;
	return cannot_use(
		"ca_file", ca_file ? ca_file : "that of the system", err_r);
}

static int identify(SSL_CTX *ctx, const struct tls *files, struct err *err_r)
{
	if (!files->cert_file)
		return 0;
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	if (SSL_CTX_use_certificate_chain_file(ctx, files->cert_file) != 1)
		return cannot_use("cert_file", files->cert_file, err_r);
	if (SSL_CTX_use_PrivateKey_file(
		    ctx, files->key_file, SSL_FILETYPE_PEM) != 1)
		return cannot_use("key_file", files->key_file, err_r);
	return 0;
}

/* An address is looked for among a certificate's addresses, and is not sent as
 * a server's name. */
static bool expect_host(SSL *ssl, const char *host)
{
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1)
		return true;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host) == 1;
}

int redis_tls_new(const struct tls *files, const char *host,
	struct redis_tls **tls_r, struct err *err_r)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;
	int rc = -1;

	ERR_clear_error();
	if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
		err_set(err_r, ERR_POLICY, "no TLS: %s", last_reason());
		goto out;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (trust(ctx, files->ca_file, err_r) < 0 ||
		identify(ctx, files, err_r) < 0)
		goto out;
	ssl = SSL_new(ctx);
	if (!ssl || !expect_host(ssl, host)) {
		err_set(err_r, ERR_POLICY,
			"no certificate can be for this host: %s", host);
		SSL_free(ssl);
		goto out;
	}
	*tls_r = xcalloc(1, sizeof(**tls_r));
	(*tls_r)->ssl = ssl;
	rc = 0;
out:
	SSL_CTX_free(ctx);
	return rc;
}

void redis_tls_free(struct redis_tls **tls)
{
	if (!*tls)
		return;
	SSL_free((*tls)->ssl);
	free(*tls);
	*tls = NULL;
}

int redis_tls_begin(
	struct redis_tls *tls, redisAsyncContext *context, struct err *err_r)
{
	struct buf why;

	ERR_clear_error();
	SSL_up_ref(tls->ssl);
	if (redisInitiateSSL(&context->c, tls->ssl) == REDIS_OK)
		return 0;
	SSL_free(tls->ssl);
	buf_init(&why, 1024);
	redis_tls_explain(tls, context->c.errstr, &why);
	err_set(err_r, ERR_ACTION, "%s", why.data);
	buf_fini(&why);
	return -1;
}

void redis_tls_explain(
	const struct redis_tls *tls, const char *said, struct buf *out)
{
	long verdict = tls ? SSL_get_verify_result(tls->ssl) : X509_V_OK;

	if (verdict != X509_V_OK) {
		buf_addf(out,
			"the server's certificate is not accepted: %s; check "
			"the host in the URL, or name its CA in tls.ca_file",
			X509_verify_cert_error_string(verdict));
		return;
	}
	if (tls && ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_SSL)
		buf_addf(out, "TLS failed: %s", last_reason());
	else
		explain_plainly(said, out);
	/* Its alert is lost when it resets the connection. */
	if (tls && !SSL_get_certificate(tls->ssl))
		buf_adds(out, "; if the server asks for a certificate, name "
			      "one in tls.cert_file");
}

#else

int redis_tls_new(const struct tls *files, const char *host,
	struct redis_tls **tls_r, struct err *err_r)
{
	return err_set(err_r, ERR_POLICY,
		"TLS to Redis is not supported by this build");
}

void redis_tls_free(struct redis_tls **tls)
{
}

int redis_tls_begin(
	struct redis_tls *tls, redisAsyncContext *context, struct err *err_r)
{
	return err_set(err_r, ERR_ACTION,
		"TLS to Redis is not supported by this build");
}

void redis_tls_explain(
	const struct redis_tls *tls, const char *said, struct buf *out)
{
	explain_plainly(said, out);
}

#endif
