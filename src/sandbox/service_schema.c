/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of Cloud Run Admin API v2 that a Service is made of, as data:
 * one row per field, from the API's discovery document. Knows no rule beyond
 * names and types; admin_check.c walks it.
 */
#include "sandbox/service_schema.h"

#include <stddef.h>

/* clang-format off */
#define NONE    FIELD_SINGLE
#define MANY    FIELD_REPEATED
#define OUT     FIELD_OUTPUT_ONLY
#define END     {.name = NULL}
#define F(n, k, f) {.name = n, .kind = FIELD_##k, .flags = f}
#define M(n, f, m) \
	{.name = n, .kind = FIELD_MESSAGE, .flags = f, .message = m##_fields}
#define E(n, f, v) {.name = n, .kind = FIELD_ENUM, .flags = f, .values = v}
#define TYPE    "TRAFFIC_TARGET_ALLOCATION_TYPE_"

static const struct field binary_authorization_fields[] = {
	F("breakglassJustification", STRING, NONE),
	F("policy", STRING, NONE),
	F("useDefault", BOOL, NONE),
	END,
};

static const struct field build_config_fields[] = {
	F("baseImage", STRING, NONE),
	F("enableAutomaticUpdates", BOOL, NONE),
	F("environmentVariables", MAP, NONE),
	F("functionTarget", STRING, NONE),
	F("imageUri", STRING, NONE),
	F("name", STRING, OUT),
	F("serviceAccount", STRING, NONE),
	F("sourceLocation", STRING, NONE),
	F("workerPool", STRING, NONE),
	END,
};

static const struct field condition_fields[] = {
	E("executionReason", OUT,
		"EXECUTION_REASON_UNDEFINED "
		"JOB_STATUS_SERVICE_POLLING_ERROR NON_ZERO_EXIT_CODE "
		"CANCELLED CANCELLING DELETED DELAYED_START_PENDING"),
	F("lastTransitionTime", TIME, NONE),
	F("message", STRING, NONE),
	E("reason", OUT,
		"COMMON_REASON_UNDEFINED UNKNOWN REVISION_FAILED "
		"PROGRESS_DEADLINE_EXCEEDED CONTAINER_MISSING "
		"CONTAINER_PERMISSION_DENIED CONTAINER_IMAGE_UNAUTHORIZED "
		"CONTAINER_IMAGE_AUTHORIZATION_CHECK_FAILED "
		"ENCRYPTION_KEY_PERMISSION_DENIED "
		"ENCRYPTION_KEY_CHECK_FAILED SECRETS_ACCESS_CHECK_FAILED "
		"WAITING_FOR_OPERATION IMMEDIATE_RETRY POSTPONED_RETRY "
		"INTERNAL VPC_NETWORK_NOT_FOUND"),
	E("revisionReason", OUT,
		"REVISION_REASON_UNDEFINED PENDING RESERVE RETIRED "
		"RETIRING RECREATING HEALTH_CHECK_CONTAINER_ERROR "
		"CUSTOMIZED_PATH_RESPONSE_PENDING "
		"MIN_INSTANCES_NOT_PROVISIONED "
		"ACTIVE_REVISION_LIMIT_REACHED NO_DEPLOYMENT "
		"HEALTH_CHECK_SKIPPED MIN_INSTANCES_WARMING"),
	E("severity", NONE,
		"SEVERITY_UNSPECIFIED ERROR WARNING INFO"),
	E("state", NONE,
		"STATE_UNSPECIFIED CONDITION_PENDING "
		"CONDITION_RECONCILING CONDITION_FAILED "
		"CONDITION_SUCCEEDED"),
	F("type", STRING, NONE),
	END,
};

static const struct field multi_region_settings_fields[] = {
	F("multiRegionId", STRING, NONE),
	F("regions", STRING, MANY),
	END,
};

static const struct field service_scaling_fields[] = {
	F("manualInstanceCount", INT32, NONE),
	F("maxInstanceCount", INT32, NONE),
	F("minInstanceCount", INT32, NONE),
	E("scalingMode", NONE,
		"SCALING_MODE_UNSPECIFIED AUTOMATIC MANUAL"),
	END,
};

static const struct field build_info_fields[] = {
	F("functionTarget", STRING, OUT),
	F("sourceLocation", STRING, OUT),
	END,
};

static const struct field secret_key_selector_fields[] = {
	F("secret", STRING, NONE),
	F("version", STRING, NONE),
	END,
};

static const struct field env_var_source_fields[] = {
	M("secretKeyRef", NONE, secret_key_selector),
	END,
};

static const struct field env_var_fields[] = {
	F("name", STRING, NONE),
	F("value", STRING, NONE),
	M("valueSource", NONE, env_var_source),
	END,
};

static const struct field grpc_action_fields[] = {
	F("port", INT32, NONE),
	F("service", STRING, NONE),
	END,
};

static const struct field http_header_fields[] = {
	F("name", STRING, NONE),
	F("value", STRING, NONE),
	END,
};

static const struct field http_get_action_fields[] = {
	M("httpHeaders", MANY, http_header),
	F("path", STRING, NONE),
	F("port", INT32, NONE),
	END,
};

static const struct field tcp_socket_action_fields[] = {
	F("port", INT32, NONE),
	END,
};

static const struct field probe_fields[] = {
	F("failureThreshold", INT32, NONE),
	M("grpc", NONE, grpc_action),
	M("httpGet", NONE, http_get_action),
	F("initialDelaySeconds", INT32, NONE),
	F("periodSeconds", INT32, NONE),
	M("tcpSocket", NONE, tcp_socket_action),
	F("timeoutSeconds", INT32, NONE),
	END,
};

static const struct field container_port_fields[] = {
	F("containerPort", INT32, NONE),
	F("name", STRING, NONE),
	END,
};

static const struct field resource_requirements_fields[] = {
	F("cpuIdle", BOOL, NONE),
	F("limits", MAP, NONE),
	F("startupCpuBoost", BOOL, NONE),
	END,
};

static const struct field cloud_storage_source_fields[] = {
	F("bucket", STRING, NONE),
	F("generation", INT64, NONE),
	F("object", STRING, NONE),
	END,
};

static const struct field source_file_fields[] = {
	F("content", STRING, NONE),
	F("filename", STRING, NONE),
	END,
};

static const struct field inlined_source_fields[] = {
	M("sources", MANY, source_file),
	END,
};

static const struct field source_code_fields[] = {
	M("cloudStorageSource", NONE, cloud_storage_source),
	M("inlinedSource", NONE, inlined_source),
	END,
};

static const struct field volume_mount_fields[] = {
	F("mountPath", STRING, NONE),
	F("name", STRING, NONE),
	F("subPath", STRING, NONE),
	END,
};

static const struct field container_fields[] = {
	F("args", STRING, MANY),
	F("baseImageUri", STRING, NONE),
	M("buildInfo", OUT, build_info),
	F("command", STRING, MANY),
	F("dependsOn", STRING, MANY),
	M("env", MANY, env_var),
	F("image", STRING, NONE),
	M("livenessProbe", NONE, probe),
	F("name", STRING, NONE),
	M("ports", MANY, container_port),
	M("readinessProbe", NONE, probe),
	M("resources", NONE, resource_requirements),
	M("sourceCode", NONE, source_code),
	M("startupProbe", NONE, probe),
	M("volumeMounts", MANY, volume_mount),
	F("workingDir", STRING, NONE),
	END,
};

static const struct field node_selector_fields[] = {
	F("accelerator", STRING, NONE),
	END,
};

static const struct field revision_scaling_fields[] = {
	F("concurrencyUtilization", NUMBER, NONE),
	F("cpuUtilization", NUMBER, NONE),
	F("maxInstanceCount", INT32, NONE),
	F("minInstanceCount", INT32, NONE),
	END,
};

static const struct field service_mesh_fields[] = {
	F("mesh", STRING, NONE),
	END,
};

static const struct field cloud_sql_instance_fields[] = {
	F("instances", STRING, MANY),
	END,
};

static const struct field empty_dir_volume_source_fields[] = {
	E("medium", NONE,
		"MEDIUM_UNSPECIFIED MEMORY DISK"),
	F("sizeLimit", STRING, NONE),
	END,
};

static const struct field gcs_volume_source_fields[] = {
	F("bucket", STRING, NONE),
	F("mountOptions", STRING, MANY),
	F("readOnly", BOOL, NONE),
	END,
};

static const struct field nfs_volume_source_fields[] = {
	F("path", STRING, NONE),
	F("readOnly", BOOL, NONE),
	F("server", STRING, NONE),
	END,
};

static const struct field version_to_path_fields[] = {
	F("mode", INT32, NONE),
	F("path", STRING, NONE),
	F("version", STRING, NONE),
	END,
};

static const struct field secret_volume_source_fields[] = {
	F("defaultMode", INT32, NONE),
	M("items", MANY, version_to_path),
	F("secret", STRING, NONE),
	END,
};

static const struct field volume_fields[] = {
	M("cloudSqlInstance", NONE, cloud_sql_instance),
	M("emptyDir", NONE, empty_dir_volume_source),
	M("gcs", NONE, gcs_volume_source),
	F("name", STRING, NONE),
	M("nfs", NONE, nfs_volume_source),
	M("secret", NONE, secret_volume_source),
	END,
};

static const struct field network_interface_fields[] = {
	F("network", STRING, NONE),
	F("subnetwork", STRING, NONE),
	F("tags", STRING, MANY),
	END,
};

static const struct field vpc_access_fields[] = {
	F("connector", STRING, NONE),
	E("egress", NONE,
		"VPC_EGRESS_UNSPECIFIED ALL_TRAFFIC PRIVATE_RANGES_ONLY"),
	M("networkInterfaces", MANY, network_interface),
	END,
};

static const struct field revision_template_fields[] = {
	F("annotations", MAP, NONE),
	F("client", STRING, NONE),
	F("clientVersion", STRING, NONE),
	M("containers", MANY, container),
	F("encryptionKey", STRING, NONE),
	E("encryptionKeyRevocationAction", NONE,
		"ENCRYPTION_KEY_REVOCATION_ACTION_UNSPECIFIED PREVENT_NEW "
		"SHUTDOWN"),
	F("encryptionKeyShutdownDuration", DURATION, NONE),
	E("executionEnvironment", NONE,
		"EXECUTION_ENVIRONMENT_UNSPECIFIED "
		"EXECUTION_ENVIRONMENT_GEN1 EXECUTION_ENVIRONMENT_GEN2"),
	F("gpuZonalRedundancyDisabled", BOOL, NONE),
	F("healthCheckDisabled", BOOL, NONE),
	F("labels", MAP, NONE),
	F("maxInstanceRequestConcurrency", INT32, NONE),
	M("nodeSelector", NONE, node_selector),
	F("revision", STRING, NONE),
	M("scaling", NONE, revision_scaling),
	F("serviceAccount", STRING, NONE),
	M("serviceMesh", NONE, service_mesh),
	F("sessionAffinity", BOOL, NONE),
	F("timeout", DURATION, NONE),
	M("volumes", MANY, volume),
	M("vpcAccess", NONE, vpc_access),
	END,
};

static const struct field traffic_target_fields[] = {
	F("percent", INT32, NONE),
	F("revision", STRING, NONE),
	F("tag", STRING, NONE),
	E("type", NONE,
		TYPE "UNSPECIFIED "
		TYPE "LATEST "
		TYPE "REVISION"),
	END,
};

static const struct field traffic_target_status_fields[] = {
	F("percent", INT32, NONE),
	F("revision", STRING, NONE),
	F("tag", STRING, NONE),
	E("type", NONE,
		TYPE "UNSPECIFIED "
		TYPE "LATEST "
		TYPE "REVISION"),
	F("uri", STRING, NONE),
	END,
};

const struct field service_fields[] = {
	F("annotations", MAP, NONE),
	M("binaryAuthorization", NONE, binary_authorization),
	M("buildConfig", NONE, build_config),
	F("client", STRING, NONE),
	F("clientVersion", STRING, NONE),
	M("conditions", MANY | OUT, condition),
	F("createTime", TIME, OUT),
	F("creator", STRING, OUT),
	F("customAudiences", STRING, MANY),
	F("defaultUriDisabled", BOOL, NONE),
	F("deleteTime", TIME, OUT),
	F("description", STRING, NONE),
	F("etag", STRING, NONE),
	F("expireTime", TIME, OUT),
	F("generation", INT64, OUT),
	F("iapEnabled", BOOL, NONE),
	E("ingress", NONE,
		"INGRESS_TRAFFIC_UNSPECIFIED INGRESS_TRAFFIC_ALL "
		"INGRESS_TRAFFIC_INTERNAL_ONLY "
		"INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER "
		"INGRESS_TRAFFIC_NONE"),
	F("invokerIamDisabled", BOOL, NONE),
	F("labels", MAP, NONE),
	F("lastModifier", STRING, OUT),
	F("latestCreatedRevision", STRING, OUT),
	F("latestReadyRevision", STRING, OUT),
	E("launchStage", NONE,
		"LAUNCH_STAGE_UNSPECIFIED UNIMPLEMENTED PRELAUNCH "
		"EARLY_ACCESS ALPHA BETA GA DEPRECATED"),
	M("multiRegionSettings", NONE, multi_region_settings),
	F("name", STRING, NONE),
	F("observedGeneration", INT64, OUT),
	F("reconciling", BOOL, OUT),
	F("satisfiesPzs", BOOL, OUT),
	M("scaling", NONE, service_scaling),
	M("template", NONE, revision_template),
	M("terminalCondition", OUT, condition),
	F("threatDetectionEnabled", BOOL, OUT),
	M("traffic", MANY, traffic_target),
	M("trafficStatuses", MANY | OUT, traffic_target_status),
	F("uid", STRING, OUT),
	F("updateTime", TIME, OUT),
	F("uri", STRING, OUT),
	F("urls", STRING, MANY | OUT),
	END,
};
/* clang-format on */
