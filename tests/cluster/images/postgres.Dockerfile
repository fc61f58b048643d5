FROM casting-standin-postgres
# The official image's user; its binaries are on the PATH there too.
RUN usermod --uid 999 postgres && groupmod --gid 999 postgres && install -d -o 999 -g 999 -m 700 /var/lib/postgresql/data && chown -R 999:999 /var/run/postgresql
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
COPY postgres-run /usr/local/bin/docker-entrypoint.sh
USER postgres
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
STOPSIGNAL SIGINT
