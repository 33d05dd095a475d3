// A stream without an end, in the place of Vitis HLS's.
#pragma once

#include <deque>

namespace hls {
template<typename T> class stream {
	std::deque<T> waiting;

public:
	void write(T const &value) { waiting.push_back(value); }
	T read() { T const value = waiting.front(); waiting.pop_front(); return value; }
	bool empty() const { return waiting.empty(); }
};
}
