FROM casting-standin-java
RUN useradd --uid 1000 appuser && install -d -o 1000 -g 1000 /var/lib/kafka/data /opt/kafka/config /mnt/shared/config /opt/kafka/bin
COPY libs /opt/kafka/libs
COPY kafka-run /opt/kafka/bin/
USER appuser
CMD ["/opt/kafka/bin/kafka-run"]
