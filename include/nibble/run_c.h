#ifndef NIBBLE_RUN_C_H
#define NIBBLE_RUN_C_H

#include <stddef.h>
#include <stdint.h>

/* nibble's runtime for C and everything that calls C. Plain C99; libnibble_runtime exports these
 * functions and nothing else.
 *
 *     nibble_model* model;
 *     nibble_session* session;
 *     if (nibble_model_load("model.nbl", 0, &model) != NIBBLE_OK) complain(nibble_error_text());
 *     if (nibble_session_create(model, 1, &session) != NIBBLE_OK) ...
 *     nibble_array x = {pixels, sizeof pixels, NIBBLE_F32, 4, {1, 3, 32, 32}};
 *     nibble_array y = {scores, sizeof scores};
 *     if (nibble_session_run(session, &x, 1, &y, 1) != NIBBLE_OK) ...
 *
 * A model is immutable and may serve any number of sessions and threads. A session owns the memory
 * of one run; runs that several threads start at once on one session wait for one another. */

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a struct or a function below changes its meaning. */
#define NIBBLE_ABI_VERSION 1
#define NIBBLE_MAX_RANK 8

/* The exit codes of the commands. */
typedef enum nibble_status {
  NIBBLE_OK = 0,
  NIBBLE_INTERNAL = 1, /* a bug in nibble */
  NIBBLE_USAGE = 2,    /* arguments that make no sense, $NIBBLE_ISA that this machine lacks */
  NIBBLE_MODEL = 3,    /* a model that cannot be read, is not supported or does not fit in memory */
  NIBBLE_DATA = 6      /* arrays that do not fit the model */
} nibble_status;

typedef enum nibble_type {
  NIBBLE_F32 = 1,
  NIBBLE_F64 = 2,
  NIBBLE_F16 = 3,  /* two bytes, IEEE binary16 */
  NIBBLE_BF16 = 4, /* two bytes, the upper half of a binary32 */
  NIBBLE_I8 = 5,
  NIBBLE_U8 = 6,
  NIBBLE_I16 = 7,
  NIBBLE_U16 = 8,
  NIBBLE_I32 = 9,
  NIBBLE_U32 = 10,
  NIBBLE_I64 = 11,
  NIBBLE_U64 = 12,
  NIBBLE_BOOL = 13 /* one byte, 0 or 1 */
} nibble_type;

/* An input or output as the model declares it; -1 stands for a dimension that each run may choose.
 */
typedef struct nibble_port {
  const char* name;
  int32_t type; /* nibble_type */
  int32_t rank;
  int64_t shape[NIBBLE_MAX_RANK];
} nibble_port;

/* Elements in the caller's memory, row-major. */
typedef struct nibble_array {
  void* data;   /* inputs are only read */
  size_t bytes; /* of an input: all its elements; of an output: the room at `data` */
  int32_t type; /* nibble_type; of an output: set by the run, as are rank and shape */
  int32_t rank;
  int64_t shape[NIBBLE_MAX_RANK];
} nibble_array;

typedef struct nibble_model nibble_model;
typedef struct nibble_session nibble_session;

const char* nibble_version(void);  /* "1.2.3" */
uint32_t nibble_abi_version(void); /* NIBBLE_ABI_VERSION of the library */

/* One line about the last call of this thread that failed; valid until its next call. Never NULL.
 */
const char* nibble_error_text(void);

/* Maps a .nbl file and checks its structure; the checksums of the whole file too where
 * `verify_checksums` is not 0. *model is NULL on failure. */
nibble_status nibble_model_load(const char* path, int verify_checksums, nibble_model** model);
/* Sessions of the model live on. NULL is fine. */
void nibble_model_free(nibble_model* model);

size_t nibble_model_input_count(const nibble_model* model);
size_t nibble_model_output_count(const nibble_model* model);
/* Valid as long as the model; NULL where there is no such port. */
const nibble_port* nibble_model_input(const nibble_model* model, size_t index);
const nibble_port* nibble_model_output(const nibble_model* model, size_t index);

/* `threads` >= 1 share the work; the results do not depend on it. *session is NULL on failure. */
nibble_status nibble_session_create(const nibble_model* model, int threads,
                                    nibble_session** session);
/* No run may be in progress. NULL is fine. */
void nibble_session_free(nibble_session* session);

/* Runs the model: as many inputs and outputs as it has, in its order; with output_count 0 no output
 * is wanted. Of an output whose `data` is NULL only type and shape are set. Where an output has too
 * little room the call fails with NIBBLE_DATA and copies nothing, but sets all types and shapes. */
nibble_status nibble_session_run(nibble_session* session, const nibble_array* inputs,
                                 size_t input_count, nibble_array* outputs, size_t output_count);

/* Memory for activations, planned for the shapes of the last run. */
size_t nibble_session_peak_activation_bytes(const nibble_session* session);

#ifdef __cplusplus
}
#endif

#endif /* NIBBLE_RUN_C_H */
