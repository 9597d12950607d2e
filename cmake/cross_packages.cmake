# The packages of a cross build, from what the host has: flatc runs there, FlatBuffers' headers fit any processor,
# GoogleTest is built from Debian's sources, and properties draw their cases from tests/seeded instead of rapidcheck.
find_program(NIBBLE_FLATC flatc REQUIRED)
add_executable(flatbuffers::flatc IMPORTED)
set_target_properties(flatbuffers::flatc PROPERTIES IMPORTED_LOCATION ${NIBBLE_FLATC})
# Only this folder: the host's /usr/include as a whole would hide the C library of the target.
find_path(NIBBLE_FLATBUFFERS flatbuffers/flatbuffers.h PATHS /usr/include NO_DEFAULT_PATH REQUIRED)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/gen)
file(CREATE_LINK ${NIBBLE_FLATBUFFERS}/flatbuffers ${PROJECT_BINARY_DIR}/gen/flatbuffers SYMBOLIC)

if(NIBBLE_TESTS)
  add_subdirectory(/usr/src/googletest ${PROJECT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
  add_library(rapidcheck INTERFACE)
  target_include_directories(rapidcheck INTERFACE ${PROJECT_SOURCE_DIR}/tests/seeded)
endif()
