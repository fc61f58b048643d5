FROM casting-standin-redis
RUN usermod --uid 999 redis && install -d -o 999 /data
USER redis
WORKDIR /data
CMD ["redis-server"]
