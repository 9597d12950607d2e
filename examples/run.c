/* Loads a model once, runs it in two sessions on the same input and prints what comes out.
 *
 *     example_run_c MODEL.nbl
 */
#include <nibble/run_c.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t kTypeBytes[] = {0, 4, 8, 2, 2, 1, 1, 2, 2, 4, 4, 8, 8, 1};

static void check(nibble_status status) {
  if (status == NIBBLE_OK) return;
  fprintf(stderr, "example_run_c: %s\n", nibble_error_text());
  exit(status);
}

static void describe(const char* what, const nibble_port* port) {
  int32_t d;
  printf("%s '%s': type %d, ", what, port->name, (int)port->type);
  for (d = 0; d < port->rank; ++d) printf("%s%" PRId64, d ? "x" : "", port->shape[d]);
  printf("\n");
}

/* A ramp of bytes, or of halves from 0 to 1 where the input is float; a batch of one. */
static nibble_array ramp(const nibble_port* port) {
  nibble_array array = {NULL, 0, 0, 0, {0}};
  size_t count = 1, i;
  int32_t d;
  array.type = port->type;
  array.rank = port->rank;
  for (d = 0; d < port->rank; ++d) {
    array.shape[d] = port->shape[d] < 0 ? 1 : port->shape[d];
    count *= (size_t)array.shape[d];
  }
  array.bytes = count * kTypeBytes[port->type];
  array.data = calloc(array.bytes ? array.bytes : 1, 1);
  if (port->type == NIBBLE_F32)
    for (i = 0; i < count; ++i) ((float*)array.data)[i] = (float)(i % 3) * 0.5f;
  else if (kTypeBytes[port->type] == 1)
    for (i = 0; i < count; ++i) ((uint8_t*)array.data)[i] = (uint8_t)(i % 2);
  return array;
}

/* Runs, first to learn the sizes of the outputs, then with room for them. */
static void run(nibble_session* session, const nibble_array* inputs, size_t input_count,
                nibble_array* outputs, size_t output_count) {
  size_t i;
  int32_t d;
  check(nibble_session_run(session, inputs, input_count, outputs, output_count));
  for (i = 0; i < output_count; ++i) {
    outputs[i].bytes = kTypeBytes[outputs[i].type];
    for (d = 0; d < outputs[i].rank; ++d) outputs[i].bytes *= (size_t)outputs[i].shape[d];
    outputs[i].data = malloc(outputs[i].bytes ? outputs[i].bytes : 1);
  }
  check(nibble_session_run(session, inputs, input_count, outputs, output_count));
}

int main(int argc, char** argv) {
  nibble_model* model;
  nibble_session* sessions[2];
  nibble_array *inputs, *outputs[2];
  size_t input_count, output_count, i, s;
  int differ = 0;
  if (argc != 2) {
    fprintf(stderr, "expects a model: example_run_c MODEL.nbl\n");
    return 2;
  }
  printf("nibble %s, ABI %u\n", nibble_version(), (unsigned)nibble_abi_version());
  check(nibble_model_load(argv[1], 1, &model));
  input_count = nibble_model_input_count(model);
  output_count = nibble_model_output_count(model);
  inputs = calloc(input_count, sizeof *inputs);
  for (i = 0; i < input_count; ++i) {
    describe("input", nibble_model_input(model, i));
    inputs[i] = ramp(nibble_model_input(model, i));
  }
  for (s = 0; s < 2; ++s) {
    check(nibble_session_create(model, (int)s + 1, &sessions[s]));
    outputs[s] = calloc(output_count, sizeof *outputs[s]);
    run(sessions[s], inputs, input_count, outputs[s], output_count);
  }
  for (i = 0; i < output_count; ++i) {
    nibble_port made = *nibble_model_output(model, i);
    memcpy(made.shape, outputs[0][i].shape, sizeof made.shape);
    describe("output", &made);
    if (made.type == NIBBLE_F32 && outputs[0][i].bytes >= sizeof(float))
      printf("  starts with %g\n", (double)*(float*)outputs[0][i].data);
    differ |= memcmp(outputs[0][i].data, outputs[1][i].data, outputs[0][i].bytes);
  }
  printf(differ ? "two sessions differ\n" : "two sessions agree\n");

  for (s = 0; s < 2; ++s) {
    for (i = 0; i < output_count; ++i) free(outputs[s][i].data);
    free(outputs[s]);
    nibble_session_free(sessions[s]);
  }
  for (i = 0; i < input_count; ++i) free(inputs[i].data);
  free(inputs);
  nibble_model_free(model);
  return differ ? 1 : 0;
}
