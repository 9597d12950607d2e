// soak MODEL.nbl [INFERENCES [THREADS [SESSIONS]]]: threads share sessions, sessions share one
// model. Every output is compared with what a session of its own gave before; memory is compared
// between the end of the first tenth and the end, with all threads at rest. Exit 1 where either
// differs.

#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

#include "live_bytes.h"
#include "nibble/run.h"

namespace nibble::soak {
namespace {

constexpr int kSamples = 16;
// Pages that the allocator keeps at hand; a buffer lost in every run of the full test is far more.
constexpr size_t kResidentSlack = size_t{1} << 20;

size_t bytes_of(ElementType type, const std::vector<int64_t>& shape) {
  constexpr size_t kBytes[] = {0, 4, 8, 2, 2, 1, 1, 2, 2, 4, 4, 8, 8, 1};
  size_t bytes = kBytes[static_cast<size_t>(type)];
  for (int64_t dim : shape) bytes *= static_cast<size_t>(dim);
  return bytes;
}

/// One set of inputs and the outputs that belong to it.
struct Sample {
  std::vector<std::vector<std::byte>> input_bytes, expected;
  std::vector<Array> inputs;
};

Sample make_sample(const Model& model, uint64_t seed) {
  std::mt19937_64 random(seed);
  Sample sample;
  for (const Port& port : model.inputs()) {
    Array array{port.type, port.shape, nullptr};
    for (int64_t& dim : array.shape) dim = dim < 0 ? 1 : dim;
    auto& bytes = sample.input_bytes.emplace_back(bytes_of(port.type, array.shape));
    if (port.type == ElementType::kF32) {
      for (size_t i = 0; i < bytes.size(); i += sizeof(float)) {
        const auto value = static_cast<float>(random() >> 40) * 0x1p-24f;
        std::memcpy(&bytes[i], &value, sizeof value);
      }
    } else if (bytes_of(port.type, {}) == 1) {
      for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() & 1);
    }
    array.data = bytes.data();
    sample.inputs.push_back(array);
  }
  return sample;
}

[[noreturn]] void stop(const Error& error) {
  std::fprintf(stderr, "soak: %s\n", error.message.c_str());
  std::exit(1);
}

std::vector<Sample> make_samples(const std::shared_ptr<const Model>& model) {
  std::vector<Sample> samples;
  Error error;
  for (uint64_t seed = 0; seed < kSamples; ++seed) {
    Sample& sample = samples.emplace_back(make_sample(*model, seed));
    const auto session = Session::create(model, {}, error);
    if (!session || !session->run(sample.inputs, error)) stop(error);
    for (size_t i = 0; i < model->outputs().size(); ++i) {
      const Array y = session->output(i);
      const auto* data = static_cast<const std::byte*>(y.data);
      sample.expected.emplace_back(data, data + bytes_of(y.type, y.shape));
    }
  }
  return samples;
}

/// One run, compared; what it needs is allocated once a thread.
class Caller {
 public:
  Caller(Session& session, const Sample& any) : session_(session) {
    for (const auto& bytes : any.expected) memory_.emplace_back(bytes.size());
    for (auto& bytes : memory_)
      outputs_.push_back({bytes.data(), bytes.size(), ElementType::kF32, {}});
  }
  bool right(const Sample& sample) {
    for (auto& bytes : memory_) std::memset(bytes.data(), 0xa5, bytes.size());
    Error error;
    if (!session_.run(sample.inputs, outputs_, error)) stop(error);
    return memory_ == sample.expected;
  }

 private:
  Session& session_;
  std::vector<std::vector<std::byte>> memory_;
  std::vector<Output> outputs_;
};

struct Memory {
  size_t live = 0, resident = 0;
};

int soak(const char* path, int inferences, int threads, int sessions) {
  Error error;
  const auto model = Model::load(path, true, error);
  if (!model) stop(error);
  const std::vector<Sample> samples = make_samples(model);
  std::vector<std::unique_ptr<Session>> shared;
  for (int s = 0; s < sessions; ++s) {
    shared.push_back(Session::create(model, {.threads = 1 + s % 2}, error));
    if (!shared.back()) stop(error);
  }

  std::vector<Memory> rests;
  rests.reserve(2);
  std::barrier rest(threads, [&]() noexcept { rests.push_back({live_bytes(), resident_bytes()}); });
  std::vector<int> wrong(static_cast<size_t>(threads), 0);
  const int each = (inferences + threads - 1) / threads, warm = each / 10;
  const auto work = [&](int t) {
    std::mt19937 random(static_cast<uint32_t>(t));
    Caller caller(*shared[static_cast<size_t>(t % sessions)], samples[0]);
    for (int i = 0; i < each; ++i) {
      if (i == warm) rest.arrive_and_wait();
      if (!caller.right(samples[random() % kSamples])) ++wrong[static_cast<size_t>(t)];
    }
    rest.arrive_and_wait();
  };
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> callers;
  for (int t = 0; t < threads; ++t) callers.emplace_back(work, t);
  for (std::thread& caller : callers) caller.join();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  int all_wrong = 0;
  for (int w : wrong) all_wrong += w;
  const auto grown = [](size_t from, size_t to) {
    return static_cast<long long>(to) - static_cast<long long>(from);
  };
  const long long live = grown(rests[0].live, rests[1].live);
  const long long resident = grown(rests[0].resident, rests[1].resident);
  std::printf(
      "soak: %d inferences by %d threads in %d sessions, %.1f s: %d wrong, heap %+lld bytes, "
      "resident %+lld kB\n",
      each * threads, threads, sessions, seconds, all_wrong, live, resident / 1024);
#ifdef NIBBLE_SANITIZED  // its own books grow
  const bool steady = live == 0;
#else
  const bool steady = live == 0 && resident <= static_cast<long long>(kResidentSlack);
#endif
  return all_wrong == 0 && steady ? 0 : 1;
}

}  // namespace
}  // namespace nibble::soak

int main(int argc, char** argv) {
  int numbers[] = {100000, 24, 8};
  bool good = argc >= 2 && argc <= 5;
  for (int i = 2; good && i < argc; ++i) good = (numbers[i - 2] = std::atoi(argv[i])) > 0;
  if (!good) {
    std::fprintf(stderr, "expects soak MODEL.nbl [INFERENCES [THREADS [SESSIONS]]]\n");
    return 2;
  }
  return nibble::soak::soak(argv[1], numbers[0], numbers[1], numbers[2]);
}
